/** The command line with all of it on: workers by mTLS and token, events by TLS and token, a camera with a password. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ChangeEvent } from '../../src/records/index.js';
import { findFfmpeg } from '../../src/sources/ffmpeg-binary.js';
import { certificateAuthority } from '../support/certificates.js';
import { ffmpeg } from '../support/clips.js';
import { PemFolder } from '../support/pem-files.js';

const command = fileURLToPath(new URL('../../bin/blinkstream.js', import.meta.url));
const token = 'a-token-of-the-events-01';
const workerToken = 'a-token-of-the-workers-02';
const password = 'p@ss/wörd:?#%';

/** One before 5.1 is given no secrets, so that a camera with a password is refused there. */
const { hasFpsMode: keepsSecrets } = await findFfmpeg();

let folder: PemFolder;
let camera: Server;
/** What the camera is sent first to be let in. */
let authorized: (sent: string) => void;
const authorization = new Promise<string>((resolve) => (authorized = resolve));

beforeAll(async () => {
  folder = await PemFolder.make();
  const [authority, other] = await Promise.all([certificateAuthority('ours'), certificateAuthority('theirs')]);
  await Promise.all([
    folder.text('ca.pem', authority.ca),
    folder.text('other-ca.pem', other.ca),
    folder.pair('server', await authority.issue('server')),
    folder.pair('client', await authority.issue('client')),
    folder.text('token', `${token}\n`),
    folder.text('other-token', 'a-token-of-somebody-else'),
    ffmpeg(
      ...['-f', 'lavfi', '-i', 'color=c=gray:size=160x120:rate=10,noise=alls=3:allf=t', '-frames:v', '150'],
      ...['-vf', `drawbox=x=50:y=40:w=40:h=30:color=red:t=fill:enable='gte(t,5)'`, '-pix_fmt', 'yuv420p'],
      join(folder.path, 'red.mp4'),
    ),
  ]);
  // Never ready: so the service goes on for as long as the test wants it to.
  camera = createServer((request, response) => {
    const { authorization: sent } = request.headers;
    if (sent === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
    else {
      authorized(Buffer.from(sent.replace(/^Basic /, ''), 'base64').toString());
      response.writeHead(503).end();
    }
  }).listen(0, '127.0.0.1');
  await once(camera, 'listening');
});
afterAll(async () => {
  camera.close();
  await folder.remove();
});

class Command {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';
  readonly #lines: (() => void)[] = [];

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [command, ...args], {
      cwd: folder.path,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this);
    const [out, err] = [this.child.stdout, this.child.stderr];
    if (out === null || err === null) throw new Error('pipes were asked for');
    const changed = (): void => this.#lines.forEach((look) => look());
    createInterface({ input: out }).on('line', (line) => ((this.stdout += `${line}\n`), changed()));
    createInterface({ input: err }).on('line', (line) => ((this.stderr += `${line}\n`), changed()));
    this.ended = once(this.child, 'close').then(([code]) => (running.delete(this), code as number | null));
  }

  /** What `pattern` finds in all that it wrote, as soon as that is there. */
  async told(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout + this.stderr);
        if (match) resolve(match);
      };
      this.#lines.push(look);
      look();
    });
    const early = this.ended.then((code) => {
      throw new Error(`it ended with ${code} before it told ${pattern}: ${this.stderr}`);
    });
    return Promise.race([found, early]);
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

const running = new Set<Command>();
afterEach(async () => {
  for (const left of running) left.child.kill('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
});

async function ended(args: readonly string[], env?: NodeJS.ProcessEnv) {
  const run = new Command(args, env);
  const code = await run.ended;
  return { code, stdout: run.stdout, stderr: run.stderr };
}

const deployment = (worker: string, cameraPort: number): string => `topologies:
  - kind: watch
sources:
  - { name: red, kind: video, input: red.mp4 }
  # Goes on when the others have ended.
  - { name: ramp, kind: push, stallMs: 0 }
  - name: gate
    kind: camera
    url: 'http://viewer:\${env:CAMERA_PASSWORD}@127.0.0.1:${cameraPort}/stream'
workers:
  addresses: ['${worker}']
  tls: { ca: ca.pem, cert: client.pem, key: client.key }
  token: '\${env:WORKER_TOKEN}'
log: { folder: data/log }
outputs:
  grpc:
    listen: 127.0.0.1:0
    tls: { cert: server.pem, key: server.key }
    token: '\${file:token}'
  jsonLines: { file: data/events.jsonl }
`;

const expectNoSecretIn = (...texts: string[]): void => {
  for (const text of texts) {
    for (const secret of [token, workerToken, password, encodeURIComponent(password)]) {
      expect(text).not.toContain(secret);
    }
  }
};

describe('blinkstream run, worker and subscribe, secured', () => {
  it('serves those who are let in, tells others why not, and shows no secret', { timeout: 120_000 }, async () => {
    const env = { WORKER_TOKEN: workerToken, CAMERA_PASSWORD: password };
    const protectedBy = ['--cert', 'server.pem', '--key', 'server.key', '--client-ca', 'ca.pem'];
    // Open to other hosts; called by another address of this one, since the tests have but one.
    const worker = new Command(['worker', '--listen', '0.0.0.0:0', ...protectedBy, '--token-env', 'WORKER_TOKEN'], env);
    const [, port] = await worker.told(/worker listens on 0\.0\.0\.0:(\d+)/);
    const file = join(folder.path, 'deployment.yaml');
    await writeFile(file, deployment(`localhost:${port}`, (camera.address() as AddressInfo).port));

    const check = await ended(['run', file, '--check'], env);
    expect(check).toMatchObject({ stdout: `${file} is in order: 3 pipelines\n`, code: 0 });
    const service = new Command(['run', file], env);
    const [, address] = await service.told(/change events are served on (\S+)/);
    await service.told(/watch\/red ended/);
    const subscribe = ['subscribe', '--from', address, '--until-end', '--json'];

    const right = await ended([...subscribe, '--ca', 'ca.pem', '--token-file', 'token']);
    expect(right).toMatchObject({ code: 0, stderr: '' });
    const received = right.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ChangeEvent);
    expect(received.some(({ source, kind }) => source === 'red' && kind === 'APPEARED')).toBe(true);

    const refused: readonly (readonly [readonly string[], string])[] = [
      [['--ca', 'ca.pem', '--token-file', 'other-token'], 'UNAUTHENTICATED'],
      [['--ca', 'ca.pem'], 'UNAUTHENTICATED'],
      [['--ca', 'other-ca.pem', '--token-file', 'token'], 'SERVER_CERTIFICATE_UNTRUSTED'],
      [['--token-file', 'token'], 'SERVER_WANTS_TLS'],
    ];
    for (const [args, reason] of refused) {
      const { code, stdout, stderr } = await ended([...subscribe, ...args]);
      expect({ args, code, stdout }).toEqual({ args, code: 3, stdout: '' });
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: reason, hint: expect.any(String) as string } });
      expectNoSecretIn(stderr);
    }

    if (keepsSecrets) expect(await authorization).toBe(`viewer:${password}`);
    expect(await service.stop()).toBe(keepsSecrets ? 0 : 3);
    const lines = (await readFile(join(folder.path, 'data/events.jsonl'), 'utf8')).trim().split('\n');
    const ids = lines.map((line) => (JSON.parse(line) as ChangeEvent).eventId);
    // The camera may have told of its gap since.
    expect(ids).toEqual(expect.arrayContaining(received.map(({ eventId }) => eventId)));
    expect(await worker.stop()).toBe(0);
    expectNoSecretIn(worker.stdout, worker.stderr, service.stdout, service.stderr, check.stdout, lines.join('\n'));
  });

  it('run is told of a wrong token of its workers on one line, and does not go on', async () => {
    const worker = new Command(['worker', '--listen', '127.0.0.1:0', '--token-env', 'TOKEN'], { TOKEN: workerToken });
    const [, address] = await worker.told(/worker listens on (\S+)/);
    const file = join(folder.path, 'wrong.yaml');
    await writeFile(
      file,
      `topologies: [{ kind: watch }]
sources: [{ name: red, kind: video, input: red.mp4 }]
workers: { addresses: ['${address}'], token: '\${env:TOKEN}' }
log: { folder: wrong/log }
`,
    );
    const { code, stdout, stderr } = await ended(['run', file], { TOKEN: 'a-token-of-somebody-else' });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^error: worker 127\.0\.0\.1:\d+ does not let us in: .* — Give the token .*\.\n$/);
    expect(stderr).not.toContain('somebody-else');
    await worker.stop();
  });

  it('shows the reference in place of what it stands for, where that is not there', async () => {
    const file = join(folder.path, 'hidden.yaml');
    await writeFile(
      file,
      `topologies: [{ kind: watch }]
sources: [{ name: red, kind: video, input: 'clips/\${env:CLIP}' }]
workers: { children: 1 }
log: { folder: hidden/log }
`,
    );
    const env = { CLIP: 'a-name-that-nobody-may-know.mp4', BLINKSTREAM_DEBUG: '1' };
    const check = await ended(['run', file, '--check'], env);
    const shown = `there is no ${join(folder.path, 'clips', '${env:CLIP}')}`;
    expect(check).toEqual({ code: 3, stdout: `${file}:2:44: ${shown}\n`, stderr: '' });
    const { code, stdout, stderr } = await ended(['run', file], env);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(`watch/red failed, 0 frames, 0 events: ${shown}\n`);
    expect(stderr).not.toContain(env.CLIP);
  });

  it('--check tells certificates and secrets that are not there, at their places', async () => {
    const file = join(folder.path, 'missing.yaml');
    const whole = deployment('127.0.0.1:7001', 1);
    await writeFile(file, whole);
    expect(await ended(['run', file, '--check'], { WORKER_TOKEN: workerToken, CAMERA_PASSWORD: undefined })).toEqual({
      code: 2,
      stdout: `${file}:9:10: the variable CAMERA_PASSWORD is not set\n`,
      stderr: '',
    });
    await writeFile(file, whole.replace('cert: server.pem', 'cert: token'));
    const env = { WORKER_TOKEN: workerToken, CAMERA_PASSWORD: password };
    expect(await ended(['run', file, '--check'], env)).toEqual({
      code: 3,
      stdout: `${file}:18:10: ${join(folder.path, 'token')} holds no certificate\n`,
      stderr: '',
    });
  });

  it('watch serves by TLS, too, and a worker for other hosts does not start without', async () => {
    const watch = new Command(
      [
        'watch',
        'red.mp4',
        '--out',
        'watched',
        '--keep-serving',
        '--listen',
        '0.0.0.0:0',
        '--cert',
        'server.pem',
      ].concat(['--key', 'server.key', '--token-file', 'token']),
    );
    const [, port] = await watch.told(/change events are served on 0\.0\.0\.0:(\d+)/);
    await watch.told(/report: /);
    const args = ['subscribe', '--from', `localhost:${port}`, '--ca', 'ca.pem', '--until-end'];
    const { code, stdout } = await ended([...args, '--token-env', 'TOKEN'], { TOKEN: token });
    expect({ code, lines: stdout.split('\n').length > 1 }).toEqual({ code: 0, lines: true });
    expect(await watch.stop()).toBe(0);
    expect(await ended(['worker', '--listen', '0.0.0.0:0'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^error: other hosts can reach "0\.0\.0\.0:0", and there would be no TLS — /,
      ) as string,
    });
  });

  it.each<[readonly string[], string]>([
    [['subscribe', '--from', 'unix:x', '--cert', 'client.pem'], '--cert and --key go together'],
    [['worker', '--listen', 'unix:/x', '--client-ca', 'ca.pem'], '--client-ca needs --cert and --key'],
    [['watch', 'x', '--out', 'y', '--token-file', 'token'], 'give --listen'],
    [['subscribe', '--from', 'unix:x', '--token-env', 'X', '--token-file', 'y'], 'cannot be used with'],
  ])('%j is a mistake', async (args, told) => {
    const { code, stderr } = await ended(args);
    expect(stderr).toContain(told);
    expect(code).toBe(2);
  });
});
