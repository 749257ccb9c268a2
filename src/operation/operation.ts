import type { ChangeLog } from '../log/index.js';
import type { EventServer } from '../outputs/grpc/server.js';
import type { WorkerPool } from '../workers/pool.js';
import { liveness, readiness } from './health.js';
import type { InputLagProvider } from './input-lag.js';
import { serviceMetrics } from './metrics.js';
import { draining as drainingNote, operationServed, type TellNote } from './notes.js';
import { startOperationServer } from './server.js';
import type { ServiceTally } from './tally.js';

export interface OperationOptions {
  /** Where to serve metrics and health, see `startOperationServer`; nowhere without it. */
  readonly listen?: string | undefined;
  readonly openToOtherHosts: boolean;
  readonly log: Pick<ChangeLog, 'probe'>;
  readonly tally: ServiceTally;
  readonly workers: Pick<WorkerPool, 'load'>;
  readonly server: Pick<EventServer, 'subscriptions'> | undefined;
  /** Aborts when the service begins to end: from then on it is not ready. */
  readonly draining: AbortSignal;
  readonly tell: TellNote;
}

export interface Operation {
  /** `host:port` of metrics and health, where they are served. */
  readonly address?: string;
  /** For an input of which it is known how far it is behind; see `ServiceMetrics`. */
  addInputLag(provider: InputLagProvider): () => void;
  close(): Promise<void>;
}

/**
 * Puts a service under watch: metrics, health, and a word when it begins to end.
 * @throws BlinkstreamError as `startOperationServer`
 */
export async function startOperation(options: OperationOptions): Promise<Operation> {
  const { listen, openToOtherHosts, log, tally, workers, server, draining, tell } = options;
  const metrics = serviceMetrics({
    tally,
    workers: () => workers.load(),
    ...(server && { subscriptions: server.subscriptions }),
  });
  const http =
    listen === undefined
      ? undefined
      : await startOperationServer({
          listen,
          openToOtherHosts,
          metrics,
          live: liveness(log),
          ready: readiness({ tally, draining }),
        });
  if (http) tell(operationServed(http.address));
  const begin = (): void => tell(drainingNote);
  draining.addEventListener('abort', begin, { once: true });
  return {
    ...(http && { address: http.address }),
    addInputLag: (provider) => metrics.addInputLag(provider),
    close: async () => {
      draining.removeEventListener('abort', begin);
      await http?.close();
    },
  };
}
