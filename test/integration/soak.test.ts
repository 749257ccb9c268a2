import { describe, expect, test } from 'vitest';
import { describeOwnKafka } from '../support/kafka/broker.js';
import { soak } from '../soak/soak.js';
import { figuresOf, limitMb } from '../soak/verdict.js';

await describeOwnKafka('a service that is fed as fast as it reads', () => {
  test(
    'keeps within its budget while it prunes, and one subscriber reads and another does not',
    { timeout: 240_000 },
    async () => {
      const hours = 0.25;
      const result = await soak({ feed: 'kafka', hours, signal: AbortSignal.timeout(230_000), tell: () => undefined });
      const { frames, events, peakMb } = figuresOf(hours, result);
      expect(frames).toBe(6 * 0.5 * 3_600 * hours);
      expect(events).toBeGreaterThan(0);
      expect(result.samples.length).toBeGreaterThan(10);
      expect(peakMb).toBeLessThan(limitMb);
    },
  );
});

describe('a service that reads the recording of a camera as fast as it can', () => {
  test('keeps within its budget', { timeout: 180_000 }, async () => {
    const hours = 0.1;
    const result = await soak({
      feed: 'camera',
      hours,
      signal: AbortSignal.timeout(170_000),
      tell: () => undefined,
    });
    const { frames, events, peakMb } = figuresOf(hours, result);
    expect(frames).toBe(5 * 3_600 * hours);
    // In each of six minutes a bottle goes and comes.
    expect(events).toBeGreaterThan(12);
    expect(result.samples.length).toBeGreaterThan(10);
    expect(peakMb).toBeLessThan(limitMb);
  });
});
