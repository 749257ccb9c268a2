import { setTimeout as pause } from 'node:timers/promises';

/** What `work` resolves to. @throws what it throws; an Error where it takes longer than `withinMs`, and goes on unheeded */
export async function inTime<T>(work: Promise<T>, withinMs: number): Promise<T> {
  const over = new AbortController();
  const late = pause(withinMs, undefined, { signal: over.signal, ref: false }).then(() => {
    throw new Error(`it took longer than ${withinMs} ms`);
  });
  // One of the two settles after the race, and nobody listens any more.
  late.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
