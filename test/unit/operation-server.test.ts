import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { memoryLog } from '../../src/log/memory.js';
import type { ChangeLog } from '../../src/log/index.js';
import { liveness } from '../../src/operation/health.js';
import type { Note } from '../../src/operation/notes.js';
import { type Operation, startOperation } from '../../src/operation/operation.js';
import { startOperationServer } from '../../src/operation/server.js';
import { ServiceTally } from '../../src/operation/tally.js';
import { BlinkstreamError } from '../../src/records/index.js';

const load = () => ({ waiting: 0, inFlight: 0, capacity: 1, up: 1, down: 0, retries: 0, replaced: 0 });

const opened: Operation[] = [];
afterEach(() => Promise.all(opened.splice(0).map((operation) => operation.close())));

async function started(log: Pick<ChangeLog, 'probe'> = memoryLog({ partitions: 1 })) {
  const tally = new ServiceTally();
  const drain = new AbortController();
  const notes: Note[] = [];
  const operation = await startOperation({
    listen: '127.0.0.1:0',
    openToOtherHosts: false,
    log,
    tally,
    workers: { load },
    server: undefined,
    draining: drain.signal,
    tell: (note) => notes.push(note),
  });
  opened.push(operation);
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://${operation.address}${path}`, init);
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };
  return { tally, drain, notes, ask };
}

const unwritable = (): Pick<ChangeLog, 'probe'> & { probes: number } => ({
  probes: 0,
  probe() {
    this.probes += 1;
    return Promise.reject(
      new BlinkstreamError('no space left on /secret/place', { code: 'LOG_FULL', class: 'resource', stage: 'log' }),
    );
  },
});

describe('the HTTP face of a service', () => {
  it('serves metrics in the format of Prometheus', async () => {
    const { ask, notes } = await started();
    const { status, type, body } = await ask('/metrics');
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' });
    expect(body).toContain('# TYPE blinkstream_frames_read_total counter\n');
    expect(notes).toMatchObject([{ code: 'OPERATION_SERVED' }]);
  });

  it('is alive while the log can be written', async () => {
    const { ask } = await started(memoryLog({ partitions: 1 }));
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: '{"ok":true}\n' });
  });

  it('is not alive when it cannot, and tells a code and no place', async () => {
    const { ask } = await started(unwritable());
    expect(await ask('/healthz')).toMatchObject({ status: 503, body: '{"ok":false,"problems":["log: LOG_FULL"]}\n' });
  });

  it('is ready once every pipeline has started, and no more from the moment on at which it drains', async () => {
    const { ask, tally, drain, notes } = await started();
    const status = { frames: 0, events: 0, lateFrames: 0, deadLetters: 0, failures: 0 };
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: '{"ok":false,"problems":["starting"]}\n' });
    tally.listener.pipeline({ topology: 'watch', source: 'yard' });
    tally.isBegun = true;
    expect((await ask('/readyz')).body).toBe('{"ok":false,"problems":["watch/yard starting"]}\n');
    // An input that is away for now keeps nobody from the others.
    tally.listener.state({ ...status, topology: 'watch', source: 'yard', state: 'waiting' });
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: '{"ok":true}\n' });
    drain.abort();
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: '{"ok":false,"problems":["draining"]}\n' });
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    expect(notes.at(-1)).toMatchObject({ level: 'info', code: 'DRAINING' });
  });

  it('answers nothing else, and changes nothing', async () => {
    const { ask } = await started();
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/metrics', { method: 'POST', body: 'x' })).status).toBe(405);
    expect(await ask('/readyz?verbose', { method: 'HEAD' })).toMatchObject({ status: 503, body: '' });
  });

  it.each([
    ['0.0.0.0:0', 'ADDRESS_NOT_LOOPBACK'],
    ['example.org:9464', 'ADDRESS_NOT_LOOPBACK'],
    ['9464', 'ADDRESS_INVALID'],
    ['127.0.0.1:70000', 'ADDRESS_INVALID'],
  ])('does not listen on %s: %s', async (listen, code) => {
    const face = {
      metrics: { contentType: '', text: () => Promise.resolve('') },
      live: liveness(unwritable()),
      ready: () => ({ ok: true }) as const,
    };
    await expect(startOperationServer({ ...face, listen, openToOtherHosts: false })).rejects.toMatchObject({ code });
  });

  it('listens where other hosts reach it only when that is said, and tells a port that is taken', async () => {
    const face = {
      metrics: { contentType: 'text/plain', text: () => Promise.resolve('x') },
      live: liveness(unwritable()),
      ready: () => ({ ok: true }) as const,
    };
    const open = await startOperationServer({ ...face, listen: '0.0.0.0:0', openToOtherHosts: true });
    expect(open.address).toMatch(/^0\.0\.0\.0:\d+$/);
    await open.close();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const listen = `127.0.0.1:${(taken.address() as { port: number }).port}`;
    await expect(startOperationServer({ ...face, listen, openToOtherHosts: false })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringContaining(listen) as string,
    });
    taken.close();
  });
});

describe('liveness', () => {
  it('writes no more often than once a second, whoever asks', async () => {
    const log = unwritable();
    let nowMs = 0;
    const live = liveness(log, () => nowMs);
    await Promise.all([live(), live(), live()]);
    expect(log.probes).toBe(1);
    nowMs = 1_000;
    await live();
    expect(log.probes).toBe(2);
  });
});
