import { expect, it } from 'vitest';
import { keepPruned } from '../../src/cli/deployment/side-work.js';
import { BlinkstreamError, type ErrorClass } from '../../src/records/index.js';

const failing = (errorClass: ErrorClass): BlinkstreamError =>
  new BlinkstreamError('the broker is away', { code: 'KAFKA_UNREACHABLE', class: errorClass, stage: 'log' });

/** A log whose pruning ends in turn as told; what was told of it, and how often it was asked. */
async function pruned(outcomes: readonly (Error | undefined)[]): Promise<{ asked: number; told: string[] }> {
  const over = new AbortController();
  const told: string[] = [];
  let asked = 0;
  const log = {
    prune: () => {
      const outcome = outcomes[asked++];
      if (asked === outcomes.length) over.abort();
      return outcome === undefined ? Promise.resolve({ removedEvents: 0, removedBlobs: 0 }) : Promise.reject(outcome);
    },
  };
  await keepPruned(log, { everyMs: 1, tell: ({ code, error }) => told.push(`${code} ${error}`) }, over.signal);
  return { asked, told };
}

it('goes on when the broker is away for a while, and says so', async () => {
  const { asked, told } = await pruned([undefined, failing('external'), failing('external'), undefined]);
  expect(asked).toBe(4);
  expect(told).toEqual(['LOG_NOT_PRUNED KAFKA_UNREACHABLE', 'LOG_NOT_PRUNED KAFKA_UNREACHABLE']);
});

it('ends by what does not pass', async () => {
  await expect(pruned([failing('user'), undefined])).rejects.toThrow('the broker is away');
});
