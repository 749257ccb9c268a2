import {
  Server,
  type ServerInterceptor,
  type ServiceDefinition,
  status as Status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { ServerSecurity } from '../../grpc/index.js';
import { type ServerAccess, serverAccess } from '../../grpc/server-access.js';
import type { ChangeLog } from '../../log/index.js';
import type { BlinkstreamError } from '../../records/index.js';
import { addressText, ensureFree, type ListenAddress, listenFailed, parseAddress } from './address.js';
import { eventService } from './event-service.js';
import { pipelined } from './pipelined.js';
import { reflection } from './reflection.js';
import { StatusError } from './status.js';
import type { Subscription } from './subscription.js';
import { encodedEventService } from './wire.js';

const serviceName = 'blinkstream.v1.EventService';

/** Another service of the same server, beside `EventService`. */
export interface ServedService {
  /** `blinkstream.v1.FrameService` */
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly interceptor?: ServerInterceptor;
  /** The largest message that it takes; gRPC's default is 4 MiB. */
  readonly maxMessageBytes?: number;
  /** @param closing aborts when the server closes; open streams must end then */
  handlers(closing: AbortSignal): UntypedServiceImplementation;
}

export interface EventServerOptions {
  readonly log: ChangeLog;
  /** `127.0.0.1:0` (any free port), `[::1]:50051` or `unix:PATH`. */
  readonly address: string;
  /** Needed where other hosts can reach the address; health and reflection are protected like the rest. */
  readonly security?: ServerSecurity;
  /** Renewed certificates that cannot be used; the ones before stay. */
  readonly onProblem?: (problem: BlinkstreamError) => void;
  /** What it serves beside. */
  readonly services?: readonly ServedService[];
  /** A subscriber that takes nothing for this long is let go with `RESOURCE_EXHAUSTED`; default 30,000 ms. */
  readonly stallTimeoutMs?: number;
  /** How long `close` waits for clients to take what they were sent; default 3,000 ms. */
  readonly closeTimeoutMs?: number;
  /** A subscriber was let go because it took nothing. */
  readonly onStalled?: () => void;
}

export interface EventServer {
  /** As clients name it, with the port that was bound. */
  readonly address: string;
  /** Who is subscribed now. */
  readonly subscriptions: ReadonlySet<Subscription>;
  /**
   * Tells health checks that the server closes, gives each subscriber what the log holds, and ends its stream with
   * `UNAVAILABLE`; clients go on from their last cursor. Done after `closeTimeoutMs` whatever clients do. The log stays
   * open.
   */
  close(): Promise<void>;
}

/**
 * Serves `EventService`, health and reflection out of the log, each reader at its own pace.
 * @throws BlinkstreamError `ADDRESS_INVALID`, `PORT_IN_USE`, `LISTEN_FAILED` (user), and as `serverAccess`
 */
export async function startEventServer(options: EventServerOptions): Promise<EventServer> {
  const { security = {}, onProblem } = options;
  const address = parseAddress(options.address);
  const access = await serverAccess({
    address: options.address,
    security,
    stage: 'output',
    ...(onProblem && { onProblem }),
  });
  try {
    return await serve({ ...options, address, access });
  } catch (error) {
    access.close();
    throw error;
  }
}

interface Serving extends Omit<EventServerOptions, 'address'> {
  readonly address: ListenAddress;
  readonly access: ServerAccess;
}

async function serve(options: Serving): Promise<EventServer> {
  const { log, address, access, services = [], stallTimeoutMs = 30_000, closeTimeoutMs = 3_000 } = options;
  await ensureFree(address);
  const server = new Server({
    interceptors: [...access.interceptors, pipelined, ...services.flatMap(({ interceptor }) => interceptor ?? [])],
    'grpc.max_receive_message_length': Math.max(
      4 * 1024 * 1024,
      ...services.map(({ maxMessageBytes = 0 }) => maxMessageBytes),
    ),
    // Off by default: without it, the streams of a client whose host has gone are held forever.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  const finishing = new AbortController();
  const closing = new AbortController();
  const open = new Set<Subscription>();
  server.addService(
    encodedEventService,
    eventService({
      log,
      stallTimeoutMs,
      closing: closing.signal,
      subscriptions: { open, finishing: finishing.signal },
      onStalled: options.onStalled,
    }),
  );
  for (const service of services) server.addService(service.definition, service.handlers(closing.signal));
  const served = [serviceName, ...services.map(({ name }) => name)];
  const health = new HealthImplementation(Object.fromEntries(['', ...served].map((name) => [name, 'SERVING'])));
  health.addToServer(server);
  reflection(served).addToServer(server);

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(addressText(address), access.credentials, (error, bound) =>
      error ? reject(listenFailed(address, error)) : resolve(bound),
    );
  });

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    access.close();
    for (const name of ['', ...served]) health.setStatus(name, 'NOT_SERVING');
    const why = new StatusError(Status.UNAVAILABLE, 'the server is closing — subscribe again from the last cursor');
    finishing.abort(why);
    await shutdown(server, closeTimeoutMs, () => closing.abort(why));
  };
  return { address: addressText(address, port), subscriptions: open, close: () => (closed ??= close()) };
}

/** `tryShutdown` alone never ends while a client holds a stream open: a stalled one, or a watcher of health. */
async function shutdown(server: Server, timeoutMs: number, endStreams: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // Most of the time for those who read on, the rest for the others to take the word that it is over.
    const patience = setTimeout(endStreams, timeoutMs * 0.8);
    const deadline = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, timeoutMs);
    server.tryShutdown((error) => {
      clearTimeout(patience);
      clearTimeout(deadline);
      if (error) reject(error);
      else resolve();
    });
  });
}
