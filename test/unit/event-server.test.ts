import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { subscribeEvents, type Subscribed } from '../../src/outputs/grpc/client.js';
import { startEventServer, type EventServer } from '../../src/outputs/grpc/server.js';
import {
  EventServiceClient,
  type GetChangeResponse,
  type GetEvidenceResponse,
  type ListChangesRequest,
  type ListChangesResponse,
  type SubscribeRequest,
  type SubscribeResponse,
} from '../../src/records/generated/blinkstream/v1/events_service.js';
import { eventOf } from '../../fixtures/events.js';
import { FakeLog } from '../support/fake-log.js';

let log: FakeLog;
let server: EventServer;
let client: EventServiceClient;

const request: SubscribeRequest = { cursor: Buffer.alloc(0), filter: undefined, onlyNew: false, untilEnd: true };

beforeEach(async () => {
  log = new FakeLog();
  server = await startEventServer({ log, address: '127.0.0.1:0', stallTimeoutMs: 300, closeTimeoutMs: 500 });
  client = new EventServiceClient(server.address, credentials.createInsecure());
});
afterEach(async () => {
  client.close();
  await server.close();
});

/** What a stream ended with, once all that it gave was read. */
async function endOf(stream: ClientReadableStream<unknown>): Promise<ServiceError> {
  stream.resume();
  const [error] = (await once(stream, 'error')) as [ServiceError];
  return error;
}

const subscription = (fields: Partial<SubscribeRequest>) => client.subscribe({ ...request, ...fields });

/** The response of a unary method. */
const ask = <Response>(call: (done: (error: ServiceError | null, response: Response) => void) => unknown) =>
  new Promise<Response>((resolve, reject) => {
    call((error, response) => (error ? reject(error) : resolve(response)));
  });
const listChanges = (message: ListChangesRequest) =>
  ask<ListChangesResponse>((done) => client.listChanges(message, done));
const getChange = (changeId: string) => ask<GetChangeResponse>((done) => client.getChange({ changeId }, done));

describe('cursors', () => {
  it('fault 20: a forged one is INVALID_ARGUMENT, and the message says what to do', async () => {
    const error = await endOf(subscription({ cursor: Buffer.from('forged') }));
    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'not of this log — Start from the earliest.',
    });
  });

  it('fault 20: one of another filter or another log is INVALID_ARGUMENT', async () => {
    const cursor = Buffer.from(await log.earliest());
    const filter = { sources: ['yard'], kinds: [], topologies: [] };
    expect(await endOf(subscription({ cursor, filter }))).toMatchObject({ code: status.INVALID_ARGUMENT });
    const other = Buffer.from(await new FakeLog('epoch-2').earliest());
    expect(await endOf(subscription({ cursor: other }))).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('an expired one is OUT_OF_RANGE with the earliest that can be read, which works', async () => {
    log.append(...[0, 1, 2, 3].map((n) => eventOf(n)));
    const cursor = Buffer.from(await log.earliest());
    log.forget(3);
    const error = await endOf(subscription({ cursor }));
    expect(error.code).toBe(status.OUT_OF_RANGE);
    const [earliest] = error.metadata.get('blinkstream-earliest-cursor-bin');
    const seen: SubscribeResponse[] = [];
    for await (const response of subscription({ cursor: earliest as Buffer }) as AsyncIterable<SubscribeResponse>) {
      seen.push(response);
    }
    expect(seen.map(({ message }) => message?.$case)).toEqual(['event', 'progress']);
  });

  it.each([
    ['SUBSCRIPTION_INVALID', Buffer.from('forged')],
    ['CURSOR_EXPIRED', undefined],
  ])('our client gives up on both: %s', async (code, forged) => {
    const cursor = forged ?? (await log.earliest());
    log.append(eventOf(0), eventOf(1));
    log.forget(2);
    const stream = subscribeEvents({ address: server.address, cursor, signal: new AbortController().signal });
    await expect(stream.next()).rejects.toMatchObject({ name: 'BlinkstreamError', code });
  });

  it('an unspecified kind in a filter is INVALID_ARGUMENT', async () => {
    const filter = {
      sources: [],
      kinds: ['KIND_UNSPECIFIED'],
      topologies: [],
    } as unknown as SubscribeRequest['filter'];
    expect(await endOf(subscription({ filter }))).toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});

describe('readers that go or stall', () => {
  const many = (count: number) => {
    const statement = 'x'.repeat(10_000);
    return Array.from({ length: count }, (_, n) => eventOf(n, { statement }));
  };

  it('fault 18: a stalled one is let go with RESOURCE_EXHAUSTED, having cost the log no more than what fits on the way', async () => {
    log.append(...many(2_000));
    const stream = subscription({});
    let seen = 0;
    stream.on('data', () => {
      seen += 1;
      if (seen === 1) stream.pause();
    });
    await vi.waitFor(() => expect(log.openReaders).toBe(1));
    await vi.waitFor(() => expect(log.openReaders).toBe(0), { timeout: 10_000 });
    expect(await endOf(stream)).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(seen).toBeLessThan(500);
  });

  it('our client takes a stall as a pause: it goes on from its last cursor', async () => {
    const events = many(300);
    log.append(...events);
    const seen: string[] = [];
    const signal = new AbortController().signal;
    for await (const item of subscribeEvents({ address: server.address, untilEnd: true, signal })) {
      if (!('event' in item)) continue;
      seen.push(item.event.eventId);
      if (seen.length === 1) await vi.waitFor(() => expect(log.openReaders).toBe(0), { timeout: 10_000 });
    }
    expect(seen).toEqual(events.map((event) => event.eventId));
  });

  it('a slow client pulls no more than it takes', async () => {
    log.append(...many(2_000));
    const stream = subscribeEvents({ address: server.address, signal: new AbortController().signal });
    let last: Subscribed | undefined;
    for (let n = 0; n < 3; n++) last = (await stream.next()).value ?? undefined;
    expect(last).toMatchObject({ event: { eventId: 'change-2.1' } });
    await stream.return();
    await vi.waitFor(() => expect(log.openReaders).toBe(0));
  });

  it('a cancelled one frees its reader, waiting or writing', async () => {
    log.append(eventOf(0));
    const waiting = subscription({ untilEnd: false });
    waiting.on('error', () => undefined).resume();
    await vi.waitFor(() => expect(log.openReaders).toBe(1));
    waiting.cancel();
    await vi.waitFor(() => expect(log.openReaders).toBe(0));
  });

  it('an aborted subscription of our client ends quietly and frees its reader', async () => {
    const abort = new AbortController();
    const stream = subscribeEvents({ address: server.address, signal: abort.signal });
    expect((await stream.next()).value).toMatchObject({ progress: { caughtUp: true } });
    const next = stream.next();
    abort.abort();
    expect((await next).done).toBe(true);
    await vi.waitFor(() => expect(log.openReaders).toBe(0));
  });
});

describe('subscriptions', () => {
  it('are known with how far each is behind, while they are open', async () => {
    log.append(...[0, 1, 2, 3].map((n) => eventOf(n, { source: n === 3 ? 'dock' : 'yard' })));
    expect(server.subscriptions.size).toBe(0);
    const filter = { sources: ['dock'], kinds: [], topologies: [] };
    const stream = subscription({ untilEnd: false, filter });
    stream.on('error', () => undefined);
    const behind = () => [...server.subscriptions].map((one) => one.behind());
    await once(stream, 'data');
    await vi.waitFor(() => expect(behind()).toEqual([0]));
    // Hidden by the filter, and to be looked at all the same.
    log.append(eventOf(4, { source: 'yard' }));
    expect(behind()).toEqual([1]);
    await vi.waitFor(() => expect(behind()).toEqual([0]));
    stream.cancel();
    await vi.waitFor(() => expect(server.subscriptions.size).toBe(0));
  });

  it('that stall are told when they are let go', async () => {
    let stalled = 0;
    const other = await startEventServer({
      ...{ log, address: '127.0.0.1:0', stallTimeoutMs: 100 },
      onStalled: () => (stalled += 1),
    });
    log.append(...Array.from({ length: 2_000 }, (_, n) => eventOf(n, { statement: 'x'.repeat(10_000) })));
    const slow = new EventServiceClient(other.address, credentials.createInsecure());
    const stream = slow.subscribe(request);
    stream.on('error', () => undefined);
    stream.once('data', () => stream.pause());
    await vi.waitFor(() => expect(stalled).toBe(1), { timeout: 10_000 });
    expect(other.subscriptions.size).toBe(0);
    stream.cancel();
    slow.close();
    await other.close();
  });
});

describe('closing', () => {
  it('gives a subscriber what the log holds before its stream ends', async () => {
    const stream = subscription({ untilEnd: false });
    const seen: SubscribeResponse[] = [];
    const ended = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
    stream.on('data', (response: SubscribeResponse) => seen.push(response));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    log.append(...Array.from({ length: 300 }, (_, n) => eventOf(n, { statement: 'x'.repeat(1_000) })));
    await server.close();
    expect(await ended).toMatchObject({ code: status.UNAVAILABLE });
    const ids = seen.flatMap(({ message }) => (message?.$case === 'event' ? [message.value.eventId] : []));
    expect(ids).toEqual(Array.from({ length: 300 }, (_, n) => `change-${n}.1`));
  });

  it('ends open streams with UNAVAILABLE, so that clients come back, and ends itself', async () => {
    const stream = subscription({ untilEnd: false });
    const ended = endOf(stream);
    await vi.waitFor(() => expect(log.openReaders).toBe(1));
    await server.close();
    expect(await ended).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the server is closing — subscribe again from the last cursor',
    });
    expect(log.openReaders).toBe(0);
  });

  it('ends in bounded time with a stalled reader and a watcher of health', async () => {
    const statement = 'x'.repeat(10_000);
    log.append(...Array.from({ length: 2_000 }, (_, n) => eventOf(n, { statement })));
    const stalled = subscription({});
    stalled.on('error', () => undefined);
    stalled.once('data', () => stalled.pause());
    const watch = health(server.address).watch({ service: '' });
    watch.on('error', () => undefined);
    const [serving] = (await once(watch, 'data')) as [{ status: string }];
    expect(serving.status).toBe('SERVING');
    const told = once(watch, 'data');
    await server.close();
    expect(await told).toEqual([{ status: 'NOT_SERVING' }]);
    expect(log.openReaders).toBe(0);
  });
});

interface HealthClient {
  watch(request: { service: string }): ClientReadableStream<{ status: string }>;
}

function health(address: string): HealthClient {
  const { grpc } = loadPackageDefinition(loadSync(healthProto, { enums: String })) as unknown as {
    grpc: { health: { v1: { Health: new (at: string, how: unknown) => HealthClient } } };
  };
  return new grpc.health.v1.Health(address, credentials.createInsecure());
}

describe('look-ups', () => {
  it('ListChanges pages through the last revision of each change', async () => {
    log.append(...Array.from({ length: 25 }, (_, n) => eventOf(n)));
    log.append(eventOf(3, { eventId: 'change-3.2', revision: 2 }));
    const ids: string[] = [];
    let pageToken = Buffer.alloc(0);
    do {
      const page = await listChanges({ filter: undefined, pageSize: 10, pageToken });
      ids.push(...page.changes.map((change) => change.eventId));
      pageToken = Buffer.from(page.nextPageToken);
    } while (pageToken.length > 0);
    expect(ids).toEqual(Array.from({ length: 25 }, (_, n) => (n === 3 ? 'change-3.2' : `change-${n}.1`)));
  });

  it('ListChanges gives a shorter page rather than one that is over the message limit', async () => {
    const statement = 'x'.repeat(1_500_000);
    log.append(...[0, 1, 2, 3, 4].map((n) => eventOf(n, { statement })));
    const page = { filter: undefined, pageSize: 5 };
    const first = await listChanges({ ...page, pageToken: Buffer.alloc(0) });
    expect(first.changes.map((change) => change.changeId)).toEqual(['change-0', 'change-1']);
    const second = await listChanges({ ...page, pageToken: first.nextPageToken });
    expect(second.changes.map((change) => change.changeId)).toEqual(['change-2', 'change-3']);
  });

  it('ListChanges refuses a page token of another filter, a damaged one, and a page too large', async () => {
    log.append(...[0, 1, 2].map((n) => eventOf(n)));
    const all = { filter: undefined, pageSize: 1, pageToken: Buffer.alloc(0) };
    const { nextPageToken } = await listChanges(all);
    const other = { sources: ['yard'], kinds: [], topologies: [] };
    const invalid = expect.objectContaining({ code: status.INVALID_ARGUMENT }) as unknown;
    await expect(listChanges({ ...all, filter: other, pageToken: nextPageToken })).rejects.toEqual(invalid);
    await expect(listChanges({ ...all, pageToken: Buffer.from('x') })).rejects.toEqual(invalid);
    await expect(listChanges({ ...all, pageSize: 1_001 })).rejects.toEqual(invalid);
  });

  it('GetChange gives every event of a change, or NOT_FOUND', async () => {
    log.append(eventOf(1), eventOf(2), eventOf(1, { eventId: 'change-1.2', revision: 2, phase: 'ENDED' }));
    const { events } = await getChange('change-1');
    expect(events.map((event) => event.eventId)).toEqual(['change-1.1', 'change-1.2']);
    await expect(getChange('none')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('GetEvidence gives the bytes in pieces, or NOT_FOUND', async () => {
    const bytes = Buffer.alloc(700_000, 'picture ');
    log.store(
      { sha256: 'aa', mediaType: 'image/jpeg', bytes },
      { sha256: 'bb', mediaType: 'image/png', bytes: Buffer.alloc(0) },
    );
    const pieces = (await client.getEvidence({ sha256: 'aa' }).toArray()) as GetEvidenceResponse[];
    expect(pieces.map(({ mediaType }) => mediaType)).toEqual(['image/jpeg', '', '']);
    expect(Buffer.concat(pieces.map(({ data }) => data)).equals(bytes)).toBe(true);
    expect(await client.getEvidence({ sha256: 'bb' }).toArray()).toMatchObject([{ mediaType: 'image/png' }]);
    expect(await endOf(client.getEvidence({ sha256: 'cc' }))).toMatchObject({ code: status.NOT_FOUND });
  });

  it('reflection names the service and describes its messages', async () => {
    const { files, services } = await reflected(server.address);
    expect(services).toContain('blinkstream.v1.EventService');
    expect(files).toContain('ChangeEvent');
  });
});

/** What `grpcurl list` and `describe` would be told. */
async function reflected(address: string): Promise<{ services: string[]; files: string }> {
  const { grpc } = loadPackageDefinition(
    loadSync('reflection/v1/reflection.proto', {
      includeDirs: ['node_modules/@grpc/reflection/build/proto/grpc', 'node_modules/@grpc/reflection/proto/grpc'],
    }),
  ) as unknown as {
    grpc: { reflection: { v1: { ServerReflection: new (at: string, how: unknown) => ReflectionClient } } };
  };
  const call = new grpc.reflection.v1.ServerReflection(address, credentials.createInsecure()).serverReflectionInfo();
  call.write({ listServices: '' });
  const [list] = (await once(call, 'data')) as [{ listServicesResponse: { service: { name: string }[] } }];
  call.write({ fileContainingSymbol: 'blinkstream.v1.EventService' });
  const [found] = (await once(call, 'data')) as [{ fileDescriptorResponse: { fileDescriptorProto: Buffer[] } }];
  call.end();
  return {
    services: list.listServicesResponse.service.map(({ name }) => name),
    files: Buffer.concat(found.fileDescriptorResponse.fileDescriptorProto).toString('latin1'),
  };
}

interface ReflectionClient {
  serverReflectionInfo(): NodeJS.EventEmitter & { write(request: object): void; end(): void };
}

describe('addresses', () => {
  it.each([
    ['0.0.0.0:0', 'ADDRESS_NOT_SECURE'],
    ['[::]:50051', 'ADDRESS_NOT_SECURE'],
    ['example.org:50051', 'ADDRESS_NOT_SECURE'],
    ['127.0.0.1', 'ADDRESS_INVALID'],
    ['127.0.0.1:70000', 'ADDRESS_INVALID'],
    ['unix:', 'ADDRESS_INVALID'],
  ])('%s is refused: %s', async (address, code) => {
    await expect(startEventServer({ log, address })).rejects.toMatchObject({ code, class: 'user' });
  });

  it('a port in use is told, with the option that helps', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(startEventServer({ log, address: `127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `127.0.0.1:${port} is in use`,
      hint: expect.stringContaining('--listen') as string,
    });
    taken.close();
  });

  it('a Unix socket: used, refused while it lives, taken over when its server was killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'blinkstream-socket-'));
    const path = join(folder, 'events.sock');
    const listen = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const other = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(other.stdout, 'data');
    await expect(startEventServer({ log, address: `unix:${path}` })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect((await stat(path)).isSocket()).toBe(true);

    const heir = await startEventServer({ log, address: `unix:${path}` });
    log.append(eventOf(5));
    const stream = subscribeEvents({ address: heir.address, signal: new AbortController().signal });
    expect((await stream.next()).value).toMatchObject({ event: { eventId: 'change-5.1' } });
    await stream.return();
    await heir.close();
    await rm(folder, { recursive: true });
  });
});
