/**
 * The real broker that all test files of a run share: Apache Kafka, started when the first of them asks.
 *
 *     import { broker, describeKafka, describeOwnKafka, startBroker } from '../support/kafka/broker.js';
 *
 *     describeKafka('the lane', () => {                 // skipped, and loudly so, where no broker can be had
 *       const kafka = broker();                         // { brokers: string[], topic(), group(), client(), admin() }
 *       it('…', async () => {
 *         const frames = await kafka.topic(3, { 'retention.ms': '1000' });   // made, with a unique name
 *         const group = kafka.group();                                       // a unique name
 *       });
 *     });
 *
 *     describeOwnKafka('a restart', () => {             // for tests that kill, or that configure: see server.ts
 *       let own: OwnBroker;
 *       beforeAll(async () => { own = await startBroker(); });
 *       afterAll(() => own.close());
 *     });
 *
 * `KAFKA_BROKERS=HOST:PORT` takes a broker that is there instead (to save its start while working on a test);
 * `BLINKSTREAM_KAFKA_REQUIRED=1` makes it an error that there is none. Outside of vitest (chaos, benches) use
 * `server.ts` and `names.ts`.
 */
import { describe, expect, inject } from 'vitest';
import { kafkaNames, type KafkaNames } from './names.js';
import type { Offer } from './setup.js';

export { startBroker, type BrokerOptions, type OwnBroker } from './server.js';
export { kafkaNames, type KafkaNames } from './names.js';

let shared: Offer | undefined;

/** Tests against the shared broker. */
export const describeKafka = async (name: string, tests: () => void): Promise<void> => {
  shared ??= await ask('/shared');
  describe.skipIf('missing' in shared)(name, tests);
};

/** Tests that start a broker of their own; skipped too where the run was given one. */
export const describeOwnKafka = async (name: string, tests: () => void): Promise<void> => {
  const offer = await ask('/own');
  describe.skipIf('missing' in offer || !offer.ours)(name, tests);
};

/** The shared broker; inside of `describeKafka`. */
export function broker(): KafkaNames {
  if (shared === undefined || 'missing' in shared) return kafkaNames([]);
  return kafkaNames(shared.brokers);
}

async function ask(path: string): Promise<Offer> {
  const file = expect.getState().testPath ?? '';
  const response = await fetch(`${inject('kafka')}${path}?file=${encodeURIComponent(file)}`);
  if (!response.ok) throw new Error(await response.text());
  const offer = (await response.json()) as Offer;
  if ('missing' in offer && offer.required) throw new Error(`${offer.missing}. To run these tests, ${offer.remedy}.`);
  return offer;
}
