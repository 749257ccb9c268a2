import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientAccess } from '../grpc/client-access.js';
import type { ClientSecurity } from '../grpc/index.js';
import type { OnCertificateUnusable } from '../grpc/tls-files.js';
import type { ReasonSequence } from '../reasoning/index.js';
import { BlinkstreamError, type FrameSequence } from '../records/index.js';
import { workerAddress } from './address.js';
import { builtFile } from './child.js';
import type { EngineOptions } from './index.js';
import { WorkerLine, type WorkerStart } from './line.js';
import type { WorkerListener, WorkerLoad } from './load.js';
import { startChildLife, startRemoteLife } from './lives.js';
import { NoAnswer } from './status.js';
import type { SupervisedWorker } from './supervisor.js';

export interface WorkerPoolOptions {
  /** Worker processes on this machine. Default: one less than there are cores and at least one; none with `addresses`. */
  readonly children?: number;
  /** Workers that somebody else runs, see `workerAddress`. */
  readonly addresses?: readonly string[];
  /** For all `addresses`; on another host, TLS and something to be let in by are needed. */
  readonly security?: ClientSecurity;
  readonly onCertificateUnusable?: OnCertificateUnusable;
  /** Why a worker is down, each time that one goes down; the others go on, and it is tried again. */
  readonly onDown?: (problem: BlinkstreamError) => void;
  /** Time for one sequence on one worker, from its first byte to its whole answer. Default 120,000. */
  readonly deadlineMs?: number;
  /** Resident memory of one child, beyond which it is replaced. Default 1.5 GiB. */
  readonly memoryLimitBytes?: number;
  readonly engine?: EngineOptions;
  /** Module whose `createEngine` the children run; for tests. Default: the production engine. */
  readonly engineModule?: string;
  readonly listener?: WorkerListener;
}

export interface WorkerDescription {
  readonly name: string;
  readonly state: 'up' | 'starting' | 'down';
  /** Why it is down. */
  readonly problem?: string;
  /** Where it is up. */
  readonly process?: {
    readonly pid: number;
    readonly version: string;
    readonly reasoners: readonly string[];
    readonly models: readonly { readonly name: string; readonly sha256: string }[];
  };
}

export interface WorkerPool {
  /**
   * Has a worker reason over a sequence, as soon as one is free. The caller holds the sequence's leases until the
   * promise settles; the pool neither retains nor releases them, and copies no pixels.
   *
   * A worker that crashes, hangs, runs out of memory or cannot be reached costs one retry, on another worker where
   * there is one, with a deadline of its own. The same goes for an error of class `resource` in the worker. A worker that
   * was killed, or the way to which was lost, says little of the sequence: only the tenth in a row is a failure of it.
   * @throws BlinkstreamError as the worker told it; `WORKER_FAILED` (resource) when the retry has failed too, or every
   *   attempt; `WORKERS_DOWN` (external) while no worker can be had; `WORKER_POOL_CLOSED` (internal)
   * @throws the signal's reason on abort
   */
  readonly reason: ReasonSequence;
  /** Sequences that the workers that are not down take at a time, at least 1. */
  readonly capacity: number;
  load(): WorkerLoad;
  describe(): Promise<readonly WorkerDescription[]>;
  /** Ends the children and rejects what is waiting or running. */
  close(): Promise<void>;
}

const describeWithinMs = 5_000;
/**
 * Of workers that were killed while they had a sequence. Whoever kills workers does not mean the sequence; but a machine that
 * is out of memory kills too, again and again where the sequence is what needs it.
 */
const MOST_KILLED = 10;

/**
 * Starts workers and waits for the first that serves.
 * @throws BlinkstreamError what keeps every worker from starting: an error of the engine (a model that is missing),
 *   `WORKER_START_FAILED`, `WORKER_KILLED`, `WORKER_DOWN` (external), `WORKER_ADDRESS_INVALID`, and as `clientAccess` and
 *   `startRemoteLife` (user)
 */
export async function createWorkerPool(options: WorkerPoolOptions = {}): Promise<WorkerPool> {
  const { security = {}, onCertificateUnusable } = options;
  const addresses = await Promise.all(
    (options.addresses ?? []).map(workerAddress).map(async (address) => ({
      address,
      access: await clientAccess({ address, security, stage: 'worker', credential: true, onCertificateUnusable }),
    })),
  );
  const children = options.children ?? (addresses.length > 0 ? 0 : Math.max(1, availableParallelism() - 1));
  if (children + addresses.length === 0) {
    throw new BlinkstreamError('no workers: neither children nor addresses', {
      code: 'WORKERS_NONE',
      class: 'user',
      stage: 'worker',
      hint: 'Ask for at least one worker process or name an address.',
      exitCode: 2,
    });
  }
  const folder = children > 0 ? await socketFolder() : undefined;
  const starts: WorkerStart[] = [
    ...(folder === undefined ? [] : Array.from({ length: children }, (_, i) => childStart(i, folder, options))),
    ...addresses.map(({ address, access }) => ({
      name: `worker ${address}`,
      start: (signal: AbortSignal) => startRemoteLife(address, access, signal),
    })),
  ];
  const line = new WorkerLine(starts, options.onDown, options.listener);
  let retries = 0;
  const onRetry: NonNullable<WorkerListener['retry']> = (sequence, why) => {
    retries += 1;
    options.listener?.retry?.(sequence, why);
  };
  const close = async (): Promise<void> => {
    await line.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    await line.started();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    reason: reasonOver(line, options.deadlineMs ?? 120_000, onRetry),
    get capacity() {
      return line.capacity;
    },
    load: () => ({ ...line.load(), retries }),
    describe: () => Promise.all(line.workers.map(describeWorker)),
    close,
  };
}

/** Asks a worker, and once more where it is the worker that failed. */
const reasonOver =
  (line: WorkerLine, deadlineMs: number, onRetry: NonNullable<WorkerListener['retry']>): ReasonSequence =>
  async (sequence, options) => {
    const failures: { readonly worker: SupervisedWorker; readonly why: string }[] = [];
    let killed = 0;
    for (;;) {
      const seat = await line.seat(options.signal, failures.at(-1)?.worker);
      try {
        return await seat.ask(sequence, { ...options, deadlineMs });
      } catch (cause) {
        options.signal.throwIfAborted();
        if (cause instanceof NoAnswer && cause.kind === 'busy') continue;
        const ofTheWorker =
          cause instanceof NoAnswer || (cause instanceof BlinkstreamError && cause.class === 'resource');
        if (!ofTheWorker) throw cause;
        const why = `${seat.worker.name} ${cause.message}`;
        failures.push({ worker: seat.worker, why });
        if (cause instanceof NoAnswer && cause.isFromOutside) killed += 1;
        if (failures.length - killed >= 2 || killed >= MOST_KILLED) {
          throw failed(sequence, [...new Set(failures.map((failure) => failure.why))], cause);
        }
        onRetry(sequence, why);
      }
    }
  };

const failed = (sequence: FrameSequence, reasons: readonly string[], cause: unknown): BlinkstreamError =>
  new BlinkstreamError(
    `workers failed on frames ${sequence.first.frame} to ${sequence.last.frame} of ${sequence.source}: ${reasons.join('; ')}`,
    {
      code: 'WORKER_FAILED',
      class: 'resource',
      stage: 'worker',
      hint: 'Give the workers more memory or time, or make the windows shorter.',
      cause,
    },
  );

async function describeWorker({ name, problem, life }: SupervisedWorker): Promise<WorkerDescription> {
  if (life === undefined) {
    return problem ? { name, state: 'down', problem: problem.message } : { name, state: 'starting' };
  }
  try {
    const { pid, version, reasoners, models } = await life.client.describe(describeWithinMs);
    return { name, state: 'up', process: { pid, version, reasoners, models } };
  } catch (error) {
    if (error instanceof NoAnswer) return { name, state: 'down', problem: error.message };
    throw error;
  }
}

function childStart(i: number, folder: string, options: WorkerPoolOptions): WorkerStart {
  // A name for each life: the socket of one that was killed may still be there when the next begins.
  let life = 0;
  return {
    name: `worker process ${i + 1}`,
    start: (signal) =>
      startChildLife(
        {
          socketPath: join(folder, `${i}.${life++}`),
          engineModule: options.engineModule ?? builtFile('engine'),
          engineOptions: options.engine ?? {},
          memoryLimitBytes: options.memoryLimitBytes ?? 1.5 * 1024 ** 3,
        },
        signal,
      ),
  };
}

/** A private folder (mode 0700) whose path leaves room for a socket's name: those have at most 103 bytes. */
async function socketFolder(): Promise<string> {
  const parent = Buffer.byteLength(tmpdir()) > 70 ? '/tmp' : tmpdir();
  return mkdtemp(join(parent, 'blinkstream-'));
}
