import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { memoryLog } from '../../src/log/memory.js';
import { plainLanes } from '../../src/log/plain-lane.js';

const step = { key: 'watch/a', events: [], contradicted: [], blobs: [], checkpoint: { states: {}, positions: {} } };

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

async function opened() {
  const offsets: bigint[] = [];
  let safe = 0n;
  const open = plainLanes({ log: memoryLog({ partitions: 1 }), divert: () => Promise.resolve() });
  const lane = await open(
    {
      ...{ topic: 'frames', partition: 0, group: 'g' },
      safeOffset: () => safe,
      commitOffset: (offset) => {
        offsets.push(offset);
        return Promise.resolve();
      },
    },
    new AbortController().signal,
  );
  const commit = async (): Promise<void> => {
    safe += 1n;
    await lane.commit(step);
    // The offset follows a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { lane, commit, offsets };
}

test('offsets of steps that come fast are committed together', async () => {
  const { lane, commit, offsets } = await opened();
  for (let i = 0; i < 20; i++) await commit();
  expect(offsets).toEqual([1n]);
  await vi.advanceTimersByTimeAsync(1_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(offsets).toEqual([1n, 20n]);
  await lane.release();
});

test('a lane that is let go of commits its last offset at once', async () => {
  const { lane, commit, offsets } = await opened();
  await commit();
  await commit();
  await lane.release();
  expect(offsets.at(-1)).toBe(2n);
  await expect(commit()).rejects.toThrow('was handed over');
});
