import { setTimeout as sleep } from 'node:timers/promises';
import { rm } from 'node:fs/promises';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { ClientAccess } from '../grpc/client-access.js';
import { BlinkstreamError } from '../records/index.js';
import { connectWorker, type WorkerClient } from './client.js';
import { type Child, describeExit, startChild } from './child.js';
import type { StartMessage } from './messages.js';
import { NoAnswer } from './status.js';

/** How long a worker may take to stop a sequence that nobody waits for any more. */
const stopWithinMs = 2_000;
const stopPollMs = 50;
/** How long the exit of a child may come after the end of its connection. */
const exitAfterLossMs = 1_000;
const describeWithinMs = 10_000;
/** How long a remote worker that works for somebody else is left alone. */
const busyRestMs = 500;

/** Why a call has no answer. */
export type Failure = NoAnswer['kind'] | 'cancelled';

/** What was wrong with a worker. */
export interface Fault {
  /** As a person reads it. */
  readonly why: string;
  /** It was killed, or the way to it was lost: the sequence that it had need not have to do with it. */
  readonly isFromOutside: boolean;
}

/** A worker from when it serves until it is gone. */
export interface Life {
  readonly client: WorkerClient;
  readonly pid: number;
  /** Sequences at a time. */
  readonly capacity: number;
  /** Resolves with the reason, as a person reads it, when the worker is gone. */
  readonly gone: Promise<string>;
  /** After a call without an answer: resolves when the worker is free of it or gone, with what was wrong. */
  recover(failure: Failure): Promise<Fault>;
  /** Ends it; `gone` resolves. */
  end(): Promise<void>;
}

/** Starts a child process. @throws BlinkstreamError as `startChild` */
export async function startChildLife(message: StartMessage, signal: AbortSignal): Promise<Life> {
  const child = await startChild(message, signal);
  const client = connectWorker(`unix:${child.socketPath}`);
  const gone = child.exited.then(async (exit) => {
    client.close();
    await rm(child.socketPath, { force: true });
    return describeExit(exit);
  });
  return {
    client,
    pid: child.pid,
    capacity: 1,
    gone,
    async recover(failure) {
      if (failure === 'lost') {
        await within(exitAfterLossMs, gone);
        child.kill('lost its connection');
        return { why: await gone, isFromOutside: (await child.exited).isKilled };
      }
      if (await stops(client)) return ofItsOwn(failure === 'deadline' ? 'did not answer in time' : failure);
      return ofItsOwn(await hung(child, gone));
    },
    end: () => child.stop(),
  };
}

const ofItsOwn = (why: string): Fault => ({ why, isFromOutside: false });

async function hung(child: Child, gone: Promise<string>): Promise<string> {
  child.kill(`hung: it did not stop within ${stopWithinMs / 1_000} s and was killed`);
  return gone;
}

/** Whether a worker is free of every sequence soon. One whose thread is blocked does not even say. */
async function stops(client: WorkerClient): Promise<boolean> {
  const untilMs = performance.now() + stopWithinMs;
  for (let leftMs = stopWithinMs; leftMs > 0; leftMs = untilMs - performance.now()) {
    try {
      const { inFlight } = await client.describe(leftMs);
      if (inFlight === 0) return true;
    } catch (error) {
      if (error instanceof NoAnswer) return false;
      throw error;
    }
    await sleep(stopPollMs);
  }
  return false;
}

const within = (ms: number, promise: Promise<unknown>): Promise<unknown> => {
  const abort = new AbortController();
  return Promise.race([promise, sleep(ms, undefined, { signal: abort.signal })]).finally(() => abort.abort());
};

/**
 * Reaches a worker that somebody else runs.
 * @throws NoAnswer
 * @throws BlinkstreamError `WORKER_UNAUTHENTICATED`, and as `handshakeProblem` (all user): it does not let us in, or it
 *   is not the one that we trust
 */
export async function startRemoteLife(address: string, access: ClientAccess, signal: AbortSignal): Promise<Life> {
  const client = connectWorker(address, await access.next());
  const abort = (): void => client.close();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const { capacity, pid } = await client.describe(describeWithinMs);
    let leave: (why: string) => void;
    const gone = new Promise<string>((resolve) => (leave = resolve));
    void gone.then(() => client.close());
    return {
      client,
      pid,
      capacity: Math.max(1, capacity),
      gone,
      async recover(failure) {
        if (failure === 'busy') {
          await sleep(busyRestMs);
          return ofItsOwn('busy');
        }
        if (failure === 'cancelled') return ofItsOwn('cancelled');
        // It cannot be ended from here: it is given up, and taken again when it answers.
        leave(failure === 'deadline' ? 'did not answer in time' : 'cannot be reached any more');
        return { why: await gone, isFromOutside: failure === 'lost' };
      },
      end: async () => {
        leave('was left');
        await gone;
      },
    };
  } catch (error) {
    client.close();
    throw (await refusal(address, access, error)) ?? error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Why a worker that does not answer never will; undefined where it may. */
async function refusal(address: string, access: ClientAccess, thrown: unknown): Promise<BlinkstreamError | undefined> {
  const code = thrown instanceof NoAnswer ? (thrown.cause as ServiceError | undefined)?.code : undefined;
  if (code === status.UNAVAILABLE) return access.problem();
  if (code !== status.UNAUTHENTICATED) return undefined;
  return new BlinkstreamError(`worker ${address} does not let us in: ${(thrown as NoAnswer).message}`, {
    code: 'WORKER_UNAUTHENTICATED',
    class: 'user',
    stage: 'worker',
    hint: 'Give the token that the worker was started with.',
    cause: thrown,
  });
}
