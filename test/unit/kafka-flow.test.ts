import { describe, expect, it } from 'vitest';
import { Flow } from '../../src/sources/kafka/flow.js';

function flowOf(partitionBytes: number) {
  const told: string[] = [];
  let fetchedBytes = 0;
  const flow = new Flow({
    partitionBytes,
    fetchedBytes: () => fetchedBytes,
    pause: () => told.push('pause'),
    resume: () => told.push('resume'),
  });
  const fetched = (bytes: number): void => {
    fetchedBytes += bytes;
    flow.balance();
  };
  /** From the intake to a camera. */
  const give = (bytes: number): void => {
    fetchedBytes -= bytes;
    flow.give(bytes);
    flow.balance();
  };
  return { flow, told, fetched, give };
}

describe('whether a partition is fetched', () => {
  it('is so until too much waits, and again when half of that is left', () => {
    const { flow, told, fetched, give } = flowOf(100);
    fetched(99);
    expect(told).toEqual([]);
    fetched(1);
    expect(told).toEqual(['pause']);
    give(100);
    flow.given(49);
    expect(told).toEqual(['pause']);
    flow.given(1);
    expect(told).toEqual(['pause', 'resume']);
  });

  it('is not so while it is held, however little waits', () => {
    const { flow, told, fetched } = flowOf(100);
    flow.hold();
    fetched(100);
    fetched(-100);
    flow.restore();
    expect(told).toEqual(['pause', 'pause', 'pause']);
    flow.free();
    flow.restore();
    expect(told.at(-1)).toBe('resume');
  });

  it('is not touched any more once it has ended, when the partition may be another one', async () => {
    const { flow, told, fetched, give } = flowOf(100);
    fetched(300);
    give(200);
    const room = flow.untilRoom();
    flow.end();
    await room;
    told.length = 0;
    flow.given(200);
    fetched(-100);
    expect(told).toEqual([]);
    flow.restore();
    expect(told).toEqual(['pause']);
  });

  it('waits for room while cameras have too much', async () => {
    const { flow, fetched, give } = flowOf(100);
    fetched(101);
    give(101);
    let hasRoom = false;
    const room = flow.untilRoom().then(() => (hasRoom = true));
    await Promise.resolve();
    expect(hasRoom).toBe(false);
    flow.given(1);
    await room;
    expect(hasRoom).toBe(true);
  });
});
