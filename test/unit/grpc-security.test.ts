import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import tls, { connect, type ConnectionOptions } from 'node:tls';
import { Metadata, Server, status } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hostAndPort, isLocal } from '../../src/grpc/address.js';
import { tokenProblem } from '../../src/grpc/bearer.js';
import { clientAccess } from '../../src/grpc/client-access.js';
import type { ServerSecurity } from '../../src/grpc/index.js';
import { serverAccess } from '../../src/grpc/server-access.js';
import { TlsFiles } from '../../src/grpc/tls-files.js';
import { subscribeEvents } from '../../src/outputs/grpc/client.js';
import { startEventServer } from '../../src/outputs/grpc/server.js';
import { EventServiceClient } from '../../src/records/generated/blinkstream/v1/events_service.js';
import { createWorkerPool } from '../../src/workers/pool.js';
import { startWorkerServer } from '../../src/workers/server.js';
import { certificateAuthority, type CertificateAuthority } from '../support/certificates.js';
import { FakeLog } from '../support/fake-log.js';
import { PemFolder } from '../support/pem-files.js';
import { createEngine } from '../support/workers/engine.js';
import { sequenceOf } from '../support/workers/sequences.js';

const token = 'a-token-that-only-the-tests-know';
const otherToken = 'a-token-of-some-other-server';
const dayMs = 86_400_000;

let folder: PemFolder;
let authority: CertificateAuthority;
let ca: string;
beforeAll(async () => {
  folder = await PemFolder.make();
  authority = await certificateAuthority();
  ca = await folder.text('ca.pem', authority.ca);
});
afterAll(() => folder.remove());

describe('addresses', () => {
  it.each<[string, boolean]>([
    ['unix:/run/x.sock', true],
    ['127.0.0.1:1', true],
    ['127.9.9.9:1', true],
    ['localhost:1', true],
    ['[::1]:1', true],
    ['0.0.0.0:1', false],
    ['[::]:1', false],
    ['10.0.0.1:1', false],
    ['localhost.example.org:1', false],
    ['127.0.0.1.example.org:1', false],
    ['127.example.org:1', false],
    ['[::ffff:127.0.0.1]:1', false],
    ['dns:127.0.0.1:1', false],
    ['anything else', false],
  ])('%s is meant for this machine alone: %s', (address, local) => {
    expect(isLocal(address)).toBe(local);
  });

  it.each(['a b:1', 'a:b:1', 'http://a:1', 'a:', ':1', 'a:65536'])('%s is no host and port', (address) => {
    expect(hostAndPort(address)).toBeUndefined();
  });
});

describe('tokens', () => {
  it.each<[string, string | undefined]>([
    ['0123456789abcdef', undefined],
    ['aZ09-._~+/=aZ09-._~+/=', undefined],
    ['0123456789abcde', 'has fewer than 16 characters'],
    ['', 'has fewer than 16 characters'],
    ['with a space in it', 'holds something else than letters, digits and -._~+/='],
    ['a line\nand another line', 'holds something else than letters, digits and -._~+/='],
  ])('%j: %s', (given, problem) => {
    expect(tokenProblem(given)).toBe(problem);
  });

  it('one that is no token is refused by both sides, without being shown', async () => {
    const security = { token: 'short-secret' };
    const refusal = { code: 'TOKEN_INVALID', message: 'the token has fewer than 16 characters' };
    await expect(startEventServer({ log: new FakeLog(), address: '127.0.0.1:0', security })).rejects.toMatchObject(
      refusal,
    );
    const signal = new AbortController().signal;
    await expect(subscribeEvents({ address: '127.0.0.1:1', security, signal }).next()).rejects.toMatchObject(refusal);
  });

  it.each<[string, string, string]>([
    ['another scheme', `Basic ${token}`, 'authorization must be "Bearer TOKEN", once'],
    ['no scheme', token, 'authorization must be "Bearer TOKEN", once'],
    ['more than it', `Bearer ${token}x`, 'the token is not the one of this server'],
    ['less than it', `Bearer ${token.slice(0, -1)}`, 'the token is not the one of this server'],
    ['it in capitals', `Bearer ${token.toUpperCase()}`, 'the token is not the one of this server'],
  ])('a server refuses %s', async (_, value, details) => {
    const server = await startEventServer({ log: new FakeLog(), address: '127.0.0.1:0', security: { token } });
    const { credentials } = await (
      await clientAccess({ address: server.address, security: {}, stage: 'output', credential: false })
    ).next();
    const client = new EventServiceClient(server.address, credentials);
    const metadata = new Metadata();
    metadata.set('authorization', value);
    const error = await new Promise((resolve) => client.getChange({ changeId: 'x' }, metadata, resolve));
    expect(error).toMatchObject({ code: status.UNAUTHENTICATED, details });
    client.close();
    await server.close();
  });

  it('the scheme may be written as one likes', async () => {
    const server = await startEventServer({ log: new FakeLog(), address: '127.0.0.1:0', security: { token } });
    const { credentials } = await (
      await clientAccess({ address: server.address, security: {}, stage: 'output', credential: false })
    ).next();
    const client = new EventServiceClient(server.address, credentials);
    const metadata = new Metadata();
    metadata.set('authorization', `bearer  ${token}`);
    const error = await new Promise((resolve) => client.getChange({ changeId: 'x' }, metadata, resolve));
    expect(error).toMatchObject({ code: status.NOT_FOUND });
    client.close();
    await server.close();
  });
});

describe('fault 21: wrong credential', () => {
  it('a subscriber is told at once, and does not try again', async () => {
    const server = await startEventServer({ log: new FakeLog(), address: '127.0.0.1:0', security: { token } });
    let retries = 0;
    const stream = subscribeEvents({
      address: server.address,
      security: { token: otherToken },
      signal: new AbortController().signal,
      onRetry: () => (retries += 1),
    });
    await expect(stream.next()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      class: 'user',
      exitCode: 3,
      message: `${server.address} refuses the subscription: the token is not the one of this server`,
      hint: 'Give the token that the server was started with.',
    });
    expect(retries).toBe(0);
    await server.close();
  });

  it('a subscriber is told, too, where the credential is no good any more after an interruption', async () => {
    const first = await startEventServer({ log: new FakeLog(), address: '127.0.0.1:0', security: { token } });
    const { address } = first;
    const stream = subscribeEvents({ address, security: { token }, signal: new AbortController().signal });
    expect((await stream.next()).value).toMatchObject({ progress: {} });
    const next = stream.next();
    await first.close();
    const second = await startEventServer({ log: new FakeLog(), address, security: { token: otherToken } });
    await expect(next).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await second.close();
  });

  it('workers: of several, one is left out and told once; the sequences go to the others', async () => {
    const engine = await createEngine({});
    const good = await startWorkerServer({ address: '127.0.0.1:0', engine, version: '1', security: { token } });
    const bad = await startWorkerServer({
      address: '127.0.0.1:0',
      engine,
      version: '1',
      security: { token: otherToken },
    });
    const told: unknown[] = [];
    let first = (): void => undefined;
    const toldFirst = new Promise<void>((resolve) => (first = resolve));
    const pool = await createWorkerPool({
      addresses: [bad.address, good.address],
      security: { token },
      onDown: (problem) => {
        told.push(problem);
        first();
      },
    });
    await toldFirst;
    const signal = new AbortController().signal;
    for (let n = 0; n < 3; n++) {
      await pool.reason(sequenceOf(n), { question: '{"do":"echo"}', reasoner: 'echo', signal });
    }
    expect(told).toEqual([
      expect.objectContaining({
        code: 'WORKER_UNAUTHENTICATED',
        class: 'user',
        message: expect.stringContaining(`worker ${bad.address} does not let us in`) as string,
        hint: 'Give the token that the worker was started with.',
      }),
    ]);
    expect((await pool.describe()).map(({ state }) => state)).toEqual(['down', 'up']);
    await pool.close();
    await Promise.all([good.close(), bad.close()]);
  });

  it('a worker on another host is not called without TLS and a credential', async () => {
    const address = 'gpu.example.org:7001';
    for (const security of [{}, { token }, { tls: {} }, { tls: { ca } }]) {
      await expect(createWorkerPool({ addresses: [address], security })).rejects.toMatchObject({
        code: 'ADDRESS_NOT_SECURE',
        exitCode: 2,
      });
    }
    const signal = new AbortController().signal;
    await expect(subscribeEvents({ address, security: { token }, signal }).next()).rejects.toMatchObject({
      code: 'ADDRESS_NOT_SECURE',
    });
  });
});

describe('files of TLS', () => {
  const read = (paths: Parameters<typeof TlsFiles.read>[0]) => TlsFiles.read(paths, 'output');

  it('are refused where they are not there, no PEM, of two pairs, half a pair, or out of date', async () => {
    const one = await folder.pair('one', await authority.issue('one'));
    const two = await folder.pair('two', await authority.issue('two'));
    const expired = await folder.pair(
      'expired',
      await authority.issue('expired', { fromMs: Date.now() - 2 * dayMs, untilMs: Date.now() - dayMs }),
    );
    const text = await folder.text('text.pem', 'no PEM');
    const large = await folder.text('large.pem', 'x'.repeat(1024 * 1024 + 1));
    await expect(read({ ca: '/nowhere/ca.pem' })).rejects.toMatchObject({
      code: 'TLS_FILE_UNREADABLE',
      message: expect.stringContaining('/nowhere/ca.pem cannot be read: ENOENT') as string,
    });
    await expect(read({ ca: large })).rejects.toMatchObject({ code: 'TLS_FILE_UNREADABLE' });
    await expect(read({ ca: text })).rejects.toMatchObject({ message: `${text} holds no certificate` });
    await expect(read({ cert: one.cert, key: text })).rejects.toMatchObject({ code: 'TLS_FILE_INVALID' });
    await expect(read({ cert: one.cert, key: two.key })).rejects.toMatchObject({
      message: `${one.cert}, ${two.key} cannot be used for TLS: key values mismatch`,
    });
    await expect(read({ cert: one.cert })).rejects.toMatchObject({ code: 'TLS_INCOMPLETE' });
    await expect(read(expired)).rejects.toMatchObject({ code: 'TLS_CERTIFICATE_DATE' });
  });

  it('are read again as they are renewed, and stay as they were while only half is new', async () => {
    const paths = await folder.pair('renewed', await authority.issue('renewed'));
    const files = await read({ ca, ...paths });
    const before = files.context;
    expect(await files.renew()).toBe(false);
    const next = await authority.issue('renewed');
    await writeFile(paths.cert, next.cert);
    await expect(files.renew()).rejects.toMatchObject({ code: 'TLS_FILE_INVALID' });
    const told: string[] = [];
    await files.renewIfUsable(({ code }) => told.push(code));
    expect(told).toEqual(['TLS_FILE_INVALID']);
    expect(files.context).toEqual(before);
    await writeFile(paths.key, next.key);
    expect(await files.renew()).toBe(true);
    expect(String(files.context.cert)).toBe(next.cert);
  });
});

/** A server with nothing but health, protected by `security`. */
async function protectedServer(security: ServerSecurity) {
  const access = await serverAccess({ address: '127.0.0.1:0', security, stage: 'output' });
  const server = new Server({ interceptors: [...access.interceptors] });
  new HealthImplementation({ '': 'SERVING' }).addToServer(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', access.credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  const close = (): void => {
    access.close();
    server.forceShutdown();
  };
  return { port, access, close };
}

/** The serial number of the certificate that a new connection is shown. */
async function shownTo(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], ...options });
  await once(socket, 'data');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

describe('a server with TLS', () => {
  it('shows new connections a renewed certificate, and goes on with the old while only half is new', async () => {
    const paths = await folder.pair('server', await authority.issue('server'));
    const { port, access, close } = await protectedServer({ tls: paths });
    const trusting = { ca: authority.ca };
    const first = await shownTo(port, trusting);
    const next = await authority.issue('server');
    await writeFile(paths.key, next.key);
    await expect(access.renew()).rejects.toMatchObject({ code: 'TLS_FILE_INVALID' });
    expect(await shownTo(port, trusting)).toBe(first);
    await writeFile(paths.cert, next.cert);
    await access.renew();
    expect(await shownTo(port, trusting)).not.toBe(first);
    close();
  });

  it('looks by itself, and tells once of what it cannot use', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const paths = await folder.pair('polled', await authority.issue('server'));
    const told: string[] = [];
    const access = await serverAccess({
      address: '127.0.0.1:0',
      security: { tls: paths },
      stage: 'output',
      onProblem: ({ code }) => told.push(code),
    });
    const shown = () => String(access.credentials._getSecureContextOptions()?.cert);
    const before = shown();
    const next = await authority.issue('server');
    await writeFile(paths.cert, next.cert);
    for (let n = 0; n < 3; n++) vi.advanceTimersByTime(10_000);
    await vi.waitFor(() => expect(told).toEqual(['TLS_FILE_INVALID']));
    expect(shown()).toBe(before);
    await writeFile(paths.key, next.key);
    vi.advanceTimersByTime(10_000);
    await vi.waitFor(() => expect(shown()).toBe(next.cert));
    expect(told).toHaveLength(1);
    access.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('trusts clients by a renewed CA, and no longer by the one before', async () => {
    const server = await folder.pair('mtls', await authority.issue('server'));
    const clientCa = await folder.text('client-ca.pem', authority.ca);
    const { port, access, close } = await protectedServer({ tls: { ...server, clientCa } });
    const address = `127.0.0.1:${port}`;
    const other = await certificateAuthority('other');
    const client = await folder.pair('client', await authority.issue('client'));
    const told: string[] = [];
    const calling = await clientAccess({
      address,
      security: { tls: { ca, ...client } },
      stage: 'output',
      credential: true,
      onCertificateUnusable: ({ code }) => told.push(code),
    });
    expect(await calling.problem()).toBeUndefined();
    await writeFile(clientCa, other.ca);
    await access.renew();
    expect(await calling.problem()).toMatchObject({ code: 'CLIENT_CERTIFICATE_REFUSED' });
    // The client, too, goes by what is on disk when it connects.
    const renewed = await other.issue('client');
    await writeFile(client.cert, renewed.cert);
    await calling.next();
    expect(told).toEqual(['TLS_FILE_INVALID']);
    expect(await calling.problem()).toMatchObject({ code: 'CLIENT_CERTIFICATE_REFUSED' });
    await writeFile(client.key, renewed.key);
    await calling.next();
    expect(told).toHaveLength(1);
    expect(await calling.problem()).toBeUndefined();
    close();
  });

  it('speaks nothing older than TLS 1.2, whatever Node.js was told', async () => {
    const before = tls.DEFAULT_MIN_VERSION;
    tls.DEFAULT_MIN_VERSION = 'TLSv1';
    const server = await protectedServer({ tls: await folder.pair('old', await authority.issue('server')) });
    tls.DEFAULT_MIN_VERSION = before;
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(shownTo(server.port, { ca: authority.ca, ...old })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
    expect(await shownTo(server.port, { ca: authority.ca, maxVersion: 'TLSv1.2' })).toMatch(/^01/);
    server.close();
  });
});
