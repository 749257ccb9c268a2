import { expect, it } from 'vitest';
import { kafkaChaos } from '../chaos/kafka/chaos.js';
import { kafkaFaultKinds } from '../chaos/kafka/faults.js';
import { describeOwnKafka } from '../support/kafka/broker.js';

await describeOwnKafka('a service over Kafka', () => {
  it(
    'gives each event once, whatever of it is killed, joins, leaves or stalls, as the undisturbed run did',
    { timeout: 280_000 },
    async () => {
      const { eventsPerJob, hits, jobs } = await kafkaChaos({
        seed: 3,
        faults: kafkaFaultKinds.length,
        script: { seed: 3, cameras: 3, partitions: 2, steps: 6, stepMs: 2_400, changesPerStep: 3, fps: 5 },
        deepest: { frame: 10, commit: 2 },
        signal: AbortSignal.timeout(270_000),
        tell: () => undefined,
      });
      expect(eventsPerJob).toBeGreaterThan(15);
      expect([...hits.values()].reduce((sum, n) => sum + n, 0)).toBe(kafkaFaultKinds.length);
      const none = { lost: 0, duplicated: 0, examples: [] };
      for (const { overGrpc, ofConsumer } of jobs) {
        expect({ overGrpc, ofConsumer }).toEqual({ overGrpc: overGrpc.map(() => none), ofConsumer: none });
      }
    },
  );
});
