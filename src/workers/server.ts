import { Server, type ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { ServerSecurity } from '../grpc/index.js';
import { serverAccess } from '../grpc/server-access.js';
import { removeAbandonedSocket } from '../grpc/unix-socket.js';
import {
  type ReasoningWorkerServer,
  ReasoningWorkerService,
} from '../records/generated/blinkstream/v1/worker_service.js';
import { BlinkstreamError } from '../records/index.js';
import { workerAddress } from './address.js';
import { answer, measure, type MeasureCall, reason, type ReasonCall } from './calls.js';
import type { WorkerEngine } from './index.js';
import { limits } from './limits.js';
import { busyCode, toStatus } from './status.js';
import { refused } from './transfer.js';

export interface WorkerServerOptions {
  /** `unix:/absolute/path` or `HOST:PORT`; port 0 lets the system choose. */
  readonly address: string;
  /** Needed where other hosts can reach the address; health is protected like the rest. */
  readonly security?: ServerSecurity;
  /** Renewed certificates that cannot be used; the ones before stay. */
  readonly onProblem?: (problem: BlinkstreamError) => void;
  readonly engine: WorkerEngine;
  /** Told to callers. */
  readonly version: string;
}

export interface WorkerServer {
  /** As given, with the port that was chosen. */
  readonly address: string;
  /** Takes no new calls, lets the running one end for `graceMs`, then breaks it off. */
  close(graceMs?: number): Promise<void>;
}

/** Sequences at a time. The models block the thread, so that a second one would only wait inside. */
const capacity = 1;
const serviceNames = ['', 'blinkstream.v1.ReasoningWorker'];

/**
 * Serves `engine` as `blinkstream.v1.ReasoningWorker`, with the health service beside it. One sequence or picture at a
 * time; more are refused with RESOURCE_EXHAUSTED. A call that is cancelled or whose deadline passes aborts the signal
 * that its work was given. The socket that a killed worker left behind is taken over. Input beyond the limits, and calls without a deadline, are refused with INVALID_ARGUMENT.
 * @throws BlinkstreamError `WORKER_ADDRESS_INVALID`, `WORKER_ADDRESS_IN_USE` (user), and as `serverAccess`
 */
export async function startWorkerServer(options: WorkerServerOptions): Promise<WorkerServer> {
  const { engine, version, security = {}, onProblem } = options;
  const address = workerAddress(options.address);
  const access = await serverAccess({ address, security, stage: 'worker', ...(onProblem && { onProblem }) });
  const server = new Server({
    interceptors: [...access.interceptors],
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_send_message_length': limits.messageBytes,
    'grpc.keepalive_time_ms': 30_000,
  });
  const health = new HealthImplementation(Object.fromEntries(serviceNames.map((name) => [name, 'SERVING'])));
  health.addToServer(server);

  let inFlight = 0;
  /** Runs the work of one call in the one place there is, under a signal that ends with the call. */
  const inTurn = async <R>(call: MeasureCall | ReasonCall, work: (signal: AbortSignal) => Promise<R>): Promise<R> => {
    if (call.getDeadline() === Infinity) throw refused('the call has no deadline');
    if (inFlight >= capacity) throw busy();
    const abort = new AbortController();
    call.once('cancelled', () => abort.abort(new Error('the caller has gone or its deadline has passed')));
    inFlight += 1;
    try {
      return await work(abort.signal);
    } finally {
      inFlight -= 1;
    }
  };

  const service: ReasoningWorkerServer = {
    describe: (_call, callback) => {
      const { reasoners, models } = engine;
      callback(null, { version, reasoners: [...reasoners], models: [...models], capacity, pid: process.pid, inFlight });
    },
    measure: (call, callback) => {
      inTurn(call, (signal) => measure(call, engine, signal)).then(
        (evidence) => callback(null, evidence),
        (error: unknown) => callback(toStatus(error)),
      );
    },
    reason: (call) => {
      inTurn(call, (signal) => reason(call, engine, signal))
        .then((reasoned) => answer(call, reasoned))
        // grpc-js turns an error of the stream into the status of the call.
        .catch((error: unknown) => call.emit('error', toStatus(error)));
    },
  };
  server.addService(ReasoningWorkerService, service);
  let port: number;
  try {
    // One that is in use is told by the attempt.
    if (address.startsWith('unix:')) await removeAbandonedSocket(address.slice('unix:'.length));
    port = await bind(server, address, access.credentials);
  } catch (error) {
    access.close();
    throw error;
  }

  return {
    address: address.startsWith('unix:') ? address : address.replace(/:\d+$/, `:${port}`),
    async close(graceMs = 0) {
      access.close();
      for (const name of serviceNames) health.setStatus(name, 'NOT_SERVING');
      await new Promise<void>((resolve) => {
        const force = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, graceMs);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
    },
  };
}

const busy = (): BlinkstreamError =>
  new BlinkstreamError('the worker has a sequence to work on already', {
    code: busyCode,
    class: 'resource',
    stage: 'worker',
    hint: 'Ask again later, or add workers.',
  });

/** grpc-js wraps what the socket said: `No address added out of total 1 resolved errors: [listen EADDRINUSE …]`. */
const bindProblem = (error: Error): string => /errors: \[(.*)\]$/s.exec(error.message)?.[1] ?? error.message;

const bind = (server: Server, address: string, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) return resolve(port);
      reject(
        new BlinkstreamError(`a worker cannot listen on ${address}: ${bindProblem(error)}`, {
          code: 'WORKER_ADDRESS_IN_USE',
          class: 'user',
          stage: 'worker',
          hint: 'End what listens there, or choose another address.',
          cause: error,
          exitCode: 4,
        }),
      );
    });
  });
