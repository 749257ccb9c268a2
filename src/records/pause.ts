import { setTimeout as wait } from 'node:timers/promises';

/** Resolves after `ms`, or as soon as `signal` aborts. A pause that is not `held` keeps no process from ending. */
export async function pauseFor(ms: number, signal: AbortSignal, { held = true } = {}): Promise<void> {
  try {
    await wait(ms, undefined, { signal, ref: held });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
