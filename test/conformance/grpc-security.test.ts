/**
 * Who is let in to which server: every server of ours, under every protection, with the right, a wrong and no
 * credential, asked by the clients that people use.
 */
import { Client, status, type StatusObject } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientAccess } from '../../src/grpc/client-access.js';
import type { ClientSecurity, ServerSecurity } from '../../src/grpc/index.js';
import { subscribeEvents } from '../../src/outputs/grpc/client.js';
import { startEventServer } from '../../src/outputs/grpc/server.js';
import { EventServiceService } from '../../src/records/generated/blinkstream/v1/events_service.js';
import { ReasoningWorkerService } from '../../src/records/generated/blinkstream/v1/worker_service.js';
import { BlinkstreamError } from '../../src/records/index.js';
import { createWorkerPool } from '../../src/workers/pool.js';
import { startWorkerServer } from '../../src/workers/server.js';
import { certificateAuthority } from '../support/certificates.js';
import { FrameServiceService } from '../../src/records/generated/blinkstream/v1/frame_service.js';
import { pushFrames } from '../../src/sources/push/client.js';
import { PushHub } from '../../src/sources/push/hub.js';
import { frameService } from '../../src/sources/push/service.js';
import { FakeLog } from '../support/fake-log.js';
import { PemFolder } from '../support/pem-files.js';
import { createEngine } from '../support/workers/engine.js';

const token = 'a-token-that-only-the-tests-know';
const otherToken = 'a-token-of-some-other-server';

let folder: PemFolder;
let files: {
  readonly ca: string;
  readonly otherCa: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
  readonly stranger: { readonly cert: string; readonly key: string };
};

beforeAll(async () => {
  folder = await PemFolder.make();
  const [authority, other] = await Promise.all([certificateAuthority('ours'), certificateAuthority('theirs')]);
  files = {
    ca: await folder.text('ca.pem', authority.ca),
    otherCa: await folder.text('other-ca.pem', other.ca),
    server: await folder.pair('server', await authority.issue('server')),
    client: await folder.pair('client', await authority.issue('client')),
    stranger: await folder.pair('stranger', await other.issue('client')),
  };
});
afterAll(() => folder.remove());

interface Served {
  readonly address: string;
  close(): Promise<void>;
}

interface ServerKind {
  start(security: ServerSecurity, address?: string): Promise<Served>;
  /** Asks as people do. @throws BlinkstreamError where it is not let in */
  ask(address: string, security: ClientSecurity): Promise<void>;
  /** Of a refused token. */
  readonly unauthenticated: string;
  /** Every method that it serves. */
  readonly methods: readonly string[];
}

const pathsOf = (service: object): string[] =>
  Object.values(service as Record<string, { path: string }>).map((m) => m.path);

const kinds: Readonly<Record<string, ServerKind>> = {
  'event server': {
    start: (security, address = '127.0.0.1:0') => startEventServer({ log: new FakeLog(), address, security }),
    async ask(address, security) {
      const retried = new Error('it tries again');
      const signal = new AbortController().signal;
      const onRetry = () => {
        throw retried;
      };
      for await (const entry of subscribeEvents({ address, security, untilEnd: true, signal, onRetry })) {
        expect(entry).toMatchObject({ progress: { caughtUp: true } });
      }
    },
    unauthenticated: 'UNAUTHENTICATED',
    methods: [
      ...pathsOf(EventServiceService),
      ...pathsOf(healthService),
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
    ],
  },
  'frame service': {
    start: (security, address = '127.0.0.1:0') =>
      startEventServer({ log: new FakeLog(), address, security, services: [frameService(new PushHub())] }),
    async ask(address, security) {
      const retried = new Error('it tries again');
      const pushed = pushFrames({
        ...{ address, security, source: 'nowhere' },
        frames: [{ eventTimeMs: 0, picture: Buffer.of(1) }],
        signal: new AbortController().signal,
        onRetry: () => {
          throw retried;
        },
      });
      // Whoever is told that there is no such camera was let in.
      await pushed.catch((error: unknown) => {
        if (!(error instanceof BlinkstreamError) || error.code !== 'CAMERA_UNKNOWN') throw error;
      });
    },
    unauthenticated: 'UNAUTHENTICATED',
    methods: pathsOf(FrameServiceService),
  },
  'worker server': {
    start: async (security, address = '127.0.0.1:0') =>
      startWorkerServer({ address, security, engine: await createEngine({}), version: '1' }),
    async ask(address, security) {
      const pool = await createWorkerPool({ addresses: [address], security });
      const [described] = await pool.describe();
      await pool.close();
      expect(described.state).toBe('up');
    },
    unauthenticated: 'WORKER_UNAUTHENTICATED',
    methods: [...pathsOf(ReasoningWorkerService), ...pathsOf(healthService)],
  },
};

/** `served`, or the code of the error. */
async function outcome(asking: Promise<void>): Promise<string> {
  try {
    await asking;
    return 'served';
  } catch (error) {
    if (!(error instanceof BlinkstreamError)) throw error;
    expect(error.class).toBe('user');
    expect(error.hint).toMatch(/\.$/);
    expect(`${error.message} ${error.hint}`).not.toContain('\n');
    expect(`${error.message} ${error.hint}`).not.toMatch(new RegExp(`${token}|${otherToken}`));
    return error.code;
  }
}

type Asking = readonly [who: string, security: () => ClientSecurity, outcome: string];

const plain: ClientSecurity = {};
const trusting = (): ClientSecurity => ({ tls: { ca: files.ca } });
const known = (): ClientSecurity => ({ tls: { ca: files.ca, ...files.client } });
const stranger = (): ClientSecurity => ({ tls: { ca: files.ca, ...files.stranger } });

/** What a server is started with, and how each who asks fares. `REFUSED`: the kind's own code of a refused token. */
const protections: Readonly<Record<string, { security: () => ServerSecurity; askings: readonly Asking[] }>> = {
  'no TLS': {
    security: () => ({}),
    askings: [
      ['nothing', () => plain, 'served'],
      ['a token that nobody asked for', () => ({ token }), 'served'],
      ['TLS', trusting, 'SERVER_WITHOUT_TLS'],
    ],
  },
  TLS: {
    security: () => ({ tls: files.server }),
    askings: [
      ['its CA', trusting, 'served'],
      ['another CA', () => ({ tls: { ca: files.otherCa } }), 'SERVER_CERTIFICATE_UNTRUSTED'],
      ['the CAs of Node.js', () => ({ tls: {} }), 'SERVER_CERTIFICATE_UNTRUSTED'],
      ['no TLS', () => plain, 'SERVER_WANTS_TLS'],
    ],
  },
  mTLS: {
    security: () => ({ tls: { ...files.server, clientCa: files.ca } }),
    askings: [
      ['a certificate of its client CA', known, 'served'],
      ['a certificate of another CA', stranger, 'CLIENT_CERTIFICATE_REFUSED'],
      ['no certificate', trusting, 'CLIENT_CERTIFICATE_REFUSED'],
      ['no TLS', () => plain, 'SERVER_WANTS_TLS'],
    ],
  },
  'a token without TLS': {
    security: () => ({ token }),
    askings: [
      ['its token', () => ({ token }), 'served'],
      ['another token', () => ({ token: otherToken }), 'REFUSED'],
      ['no token', () => plain, 'REFUSED'],
    ],
  },
  'a token and TLS': {
    security: () => ({ tls: files.server, token }),
    askings: [
      ['its token', () => ({ ...trusting(), token }), 'served'],
      ['another token', () => ({ ...trusting(), token: otherToken }), 'REFUSED'],
      ['no token', trusting, 'REFUSED'],
      ['its token without TLS', () => ({ token }), 'SERVER_WANTS_TLS'],
    ],
  },
  'a token and mTLS': {
    security: () => ({ tls: { ...files.server, clientCa: files.ca }, token }),
    askings: [
      ['both', () => ({ ...known(), token }), 'served'],
      ['the certificate alone', known, 'REFUSED'],
      ['the token alone', () => ({ ...trusting(), token }), 'CLIENT_CERTIFICATE_REFUSED'],
      ['its token and a certificate of another CA', () => ({ ...stranger(), token }), 'CLIENT_CERTIFICATE_REFUSED'],
    ],
  },
};

/** How a call of any method ends that sends a credential and an empty message; OK as soon as anything comes of it. */
async function statusOf(path: string, address: string, security: ClientSecurity) {
  const access = await clientAccess({ address, security, stage: 'output', credential: false });
  const { credentials, options } = await access.next();
  const client = new Client(address, credentials, options);
  const asIs = (bytes: Buffer): Buffer => bytes;
  const call = client.makeBidiStreamRequest(path, asIs, asIs, { deadline: Date.now() + 30_000 });
  const ended = new Promise<Pick<StatusObject, 'code' | 'details'>>((resolve) => {
    call.on('status', resolve);
    call.once('data', () => resolve({ code: status.OK, details: '' }));
  });
  call.on('error', () => undefined);
  call.end(Buffer.alloc(0));
  return ended.finally(() => {
    call.cancel();
    client.close();
  });
}

describe.each(Object.entries(kinds))('%s', (_, kind) => {
  describe.each(Object.entries(protections))('with %s', (_protection, { security, askings }) => {
    it.each(askings)('who comes with %s', async (_who, asking, expected) => {
      const server = await kind.start(security());
      try {
        const code = expected === 'REFUSED' ? kind.unauthenticated : expected;
        expect(await outcome(kind.ask(server.address, asking()))).toBe(code);
      } finally {
        await server.close();
      }
    });
  });

  it('protects each of its methods, health and reflection among them, and tells nothing of its token', async () => {
    const server = await kind.start({ token });
    for (const path of kind.methods) {
      const wrong = await statusOf(path, server.address, { token: otherToken });
      expect({ path, code: wrong.code }).toEqual({ path, code: status.UNAUTHENTICATED });
      expect(wrong.details).toBe('the token is not the one of this server');
      const none = await statusOf(path, server.address, {});
      expect({ path, code: none.code }).toEqual({ path, code: status.UNAUTHENTICATED });
      // Whoever is let in is told of something else, such as a request that is no such request.
      const right = await statusOf(path, server.address, { token });
      expect({ path, code: right.code }).not.toEqual({ path, code: status.UNAUTHENTICATED });
    }
    await server.close();
  });

  it.each<[string, () => ServerSecurity]>([
    ['nothing', () => ({})],
    ['a token without TLS', () => ({ token })],
    ['TLS that lets in everybody', () => ({ tls: files.server })],
  ])('does not listen for other hosts with %s', async (_given, security) => {
    await expect(kind.start(security(), '0.0.0.0:0')).rejects.toMatchObject({
      code: 'ADDRESS_NOT_SECURE',
      exitCode: 2,
      hint: expect.stringMatching(/client CA or a token; or listen on 127\.0\.0\.1/) as string,
    });
  });

  it.each<[string, () => ServerSecurity, () => ClientSecurity]>([
    ['TLS and a token', () => ({ tls: files.server, token }), () => ({ ...trusting(), token })],
    ['mTLS', () => ({ tls: { ...files.server, clientCa: files.ca } }), known],
  ])('listens for other hosts with %s', async (_given, security, asking) => {
    const server = await kind.start(security(), '0.0.0.0:0');
    const port = /\d+$/.exec(server.address)?.[0];
    expect(await outcome(kind.ask(`localhost:${port}`, asking()))).toBe('served');
    await server.close();
  });

  it('is not trusted under a name that is not in its certificate', async () => {
    const server = await kind.start({ tls: files.server }, '127.0.0.2:0');
    expect(await outcome(kind.ask(server.address, trusting()))).toBe('SERVER_CERTIFICATE_UNTRUSTED');
    await server.close();
  });
});
