import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Deployed } from '../../src/cli/deployment/deployed.js';
import type { BegunPart, Part } from '../../src/cli/deployment/parts.js';
import { pushedIn } from '../../src/cli/deployment/pushing.js';
import { memoryLog } from '../../src/log/memory.js';
import { BlinkstreamError } from '../../src/records/index.js';
import { PushHub } from '../../src/sources/push/hub.js';
import type { Source } from '../../src/sources/index.js';
import { pipelinesOf } from '../../src/topology/deployment/contradictions.js';
import { loadDeployment, type LoadedDeployment } from '../../src/topology/deployment/parse.js';
import { Service } from '../../src/topology/service.js';
import { answerOf, quickWatch } from '../support/short-story.js';
import { fakeWorkers } from '../support/topology-driver.js';

let folder: string;
let file: string;
let drain: AbortController;
let service: Service;
let hub: PushHub;
/** Sources as they were opened, and what was told. */
let opened: string[];
let told: string[];
/** Sources that cannot be had. */
let broken: Set<string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-reload-'));
  file = join(folder, 'deployment.yaml');
  drain = new AbortController();
  [opened, told, broken] = [[], [], new Set()];
  hub = new PushHub();
  service = new Service({
    log: memoryLog({ partitions: 1 }),
    workers: fakeWorkers(answerOf),
    budgetBytes: 64 * 2 ** 20,
    maxPipelines: 3,
    drain: drain.signal,
    signal: new AbortController().signal,
  });
});
afterEach(async () => {
  drain.abort();
  await service.ended();
  await rm(folder, { recursive: true });
});

const camera = (name: string, path = name): string =>
  `{ name: ${name}, kind: camera, url: 'rtsp://127.0.0.1/${path}' }`;

async function write(sources: readonly string[], more = ''): Promise<void> {
  const lines = sources.map((source) => `  - ${source}\n`).join('');
  const text = `topologies: [{ kind: watch${more} }]\nsources:\n${lines}log: { folder: log }\nlimits: { maxSources: 3 }\noutputs: { grpc: { listen: '127.0.0.1:0' } }\n`;
  await writeFile(file, text);
}

/** One that goes on until it is asked to stop. */
const endless = (name: string): Source => ({
  name,
  // eslint-disable-next-line require-yield -- it only has to go on
  async *read({ signal }) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    return { framesRead: 0, complete: false, suspended: true, unreadable: [] };
  },
});

const partsFrom = ({ deployment }: LoadedDeployment): Promise<Part[]> =>
  Promise.resolve(
    pipelinesOf(deployment).map(({ source }) => ({
      key: `watch/${deployment.sources[source].name}`,
      entry: deployment.sources[source],
      topology: quickWatch,
      options: {} as never,
    })),
  );

function begin({ entry, topology, options }: Part): BegunPart {
  const { name } = entry;
  const away = new BlinkstreamError('it is away', { code: 'TEST_AWAY', class: 'user', stage: 'source' });
  const supervised = service.add({
    topology,
    options,
    source: name,
    open: () => {
      opened.push(entry.kind === 'camera' ? entry.url : name);
      return broken.has(name) ? Promise.reject(away) : Promise.resolve(endless(name));
    },
  });
  return {
    get hasFailed() {
      return supervised.status.state === 'failed';
    },
    remove: () => supervised.remove(),
  };
}

async function deployed(sources: readonly string[]): Promise<Deployed> {
  await write(sources);
  const loaded = await loadDeployment(file);
  hub.declare(pushedIn(loaded.deployment));
  const made = new Deployed({
    ...{ loaded, service, hub, begin },
    env: {},
    partsOf: partsFrom,
    tell: (line) => told.push(line),
  });
  made.begin(await partsFrom(loaded));
  await settled();
  return made;
}

/** Every pipeline has got where it gets by itself. */
async function settled(): Promise<void> {
  while (service.statuses.some(({ state }) => state === 'starting')) await setImmediate();
}

const states = (): string[] => service.statuses.map(({ source, state }) => `${source} ${state}`);

describe('reading a deployment file again', () => {
  it('begins what is new, ends what is gone, begins anew what is different, and leaves the rest alone', async () => {
    const made = await deployed([camera('yard'), camera('dock'), camera('gate')]);
    await write([camera('yard'), camera('dock', 'sub'), camera('ramp')]);
    await made.reload();
    await settled();
    expect(states().sort()).toEqual(['dock running', 'ramp running', 'yard running']);
    expect(opened.slice(3).sort()).toEqual(['rtsp://127.0.0.1/ramp', 'rtsp://127.0.0.1/sub']);
    expect(told).toEqual([`${file} was read again: 1 added, 1 changed, 1 removed`]);
  });

  it('tells all mistakes, and goes on as it was', async () => {
    const made = await deployed([camera('yard')]);
    await write([camera('yard'), camera('dock').replace('camera', 'camrea')], ', name: 7');
    await made.reload();
    expect(states()).toEqual(['yard running']);
    expect(told).toEqual([
      expect.stringMatching(/deployment\.yaml:1:\d+: topologies\[0\]\.name must be text/),
      expect.stringMatching(/deployment\.yaml:4:\d+: "camrea" is no sources\[1\]\.kind; did you mean "camera"\?/),
      `${file} was not taken over: everything goes on as it was`,
    ]);
  });

  it('goes on as it was where the file is gone, and where it has more sources than the service began with', async () => {
    const made = await deployed([camera('yard')]);
    await rm(file);
    await made.reload();
    expect(told).toEqual([expect.stringMatching(/cannot be read.*everything goes on as it was/)]);
    told = [];
    await write([camera('a'), camera('b'), camera('c'), camera('d')]);
    await writeFile(file, (await readFile(file, 'utf8')).replace('maxSources: 3', 'maxSources: 4'));
    await made.reload();
    expect(told[0]).toMatch(/deployment\.yaml:8:\d+: 4 sources are to be read, and limits.maxSources is 3/);
    expect(states()).toEqual(['yard running']);
  });

  it('says what needs a restart, and does the rest', async () => {
    const made = await deployed([camera('yard')]);
    await write([camera('yard'), camera('dock')], ', options: { allowedLatenessMs: 100 }');
    await writeFile(file, `${await readFile(file, 'utf8')}workers: { children: 3 }\n`);
    await made.reload();
    await settled();
    expect(states()).toEqual(['yard running', 'dock running']);
    expect(told).toEqual([
      `${file}: topologies changes with a restart only, and stays as it was`,
      `${file}: workers changes with a restart only, and stays as it was`,
      `${file} was read again: 1 added, 0 changed, 0 removed`,
    ]);
  });

  it('takes over which sources a topology reads', async () => {
    const made = await deployed([camera('yard')]);
    await write([camera('yard'), camera('dock')], ', sources: [dock, yard]');
    await made.reload();
    await settled();
    expect(states()).toEqual(['yard running', 'dock running']);
  });

  it('tries a source that failed again', async () => {
    broken.add('dock');
    const made = await deployed([camera('yard'), camera('dock')]);
    expect(states()).toEqual(['yard running', 'dock failed']);
    broken.clear();
    await made.reload();
    await settled();
    expect(states().sort()).toEqual(['dock running', 'yard running']);
  });

  it('comes after the one before, however fast they are asked for', async () => {
    const made = await deployed([camera('yard')]);
    await write([camera('yard'), camera('dock')]);
    const first = made.reload();
    await write([camera('yard'), camera('gate')]);
    await Promise.all([first, made.reload()]);
    await settled();
    expect(states().sort()).toEqual(['gate running', 'yard running']);
  });

  it('lets cameras be pushed as long as the file has them', async () => {
    const made = await deployed([camera('yard'), '{ name: dock, kind: push }']);
    expect(hub.camera('dock')).toBeDefined();
    await write([camera('yard'), '{ name: gate, kind: push }']);
    await made.reload();
    expect([hub.camera('dock'), hub.camera('gate')?.name]).toEqual([undefined, 'gate']);
  });
});
