import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';

/** ApiVersions v0 with correlation id 1 and no client id: what every broker since 0.10 answers before all else. */
const apiVersionsRequest = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

/** Why `HOST:PORT` does not answer as a Kafka broker; undefined where it does. */
export async function notReady(address: string, signal = AbortSignal.timeout(2_000)): Promise<string | undefined> {
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? [];
  if (host === undefined) return 'not HOST:PORT';
  const socket = connect({ host, port: Number(port) });
  try {
    await once(socket, 'connect', { signal });
    socket.write(apiVersionsRequest);
    // Length, correlation id, error code.
    for (let answer = Buffer.alloc(0); ;) {
      const [piece] = (await once(socket, 'data', { signal })) as [Buffer];
      answer = Buffer.concat([answer, piece]);
      if (answer.length < 10) continue;
      const code = answer.readInt16BE(8);
      return code === 0 ? undefined : `error code ${code}`;
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    socket.destroy();
  }
}

/** Waits until the broker answers. `ended` aborts when its process is gone. */
export async function whenReady(address: string, ended: AbortSignal, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const problem = await notReady(address);
    ended.throwIfAborted();
    if (problem === undefined) return;
    if (performance.now() > deadline) throw new Error(`${address} is not ready after ${withinMs} ms: ${problem}`);
    await sleep(50);
  }
}

/**
 * One transaction with an input offset: the coordinators of transactions and groups make their topics when they are
 * first asked, which takes seconds and crashes the first consumer that meets it.
 */
export async function warmUp(brokers: readonly string[]): Promise<void> {
  const kafka = new Kafka({
    clientId: 'warm-up',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, maxRetryTime: 500, retries: 60 },
  });
  const topic = 'warm-up';
  const admin = kafka.admin();
  const producer = kafka.producer({ transactionalId: 'warm-up', idempotent: true, maxInFlightRequests: 1 });
  try {
    await admin.connect();
    // Not for its leader: a broker that is busy may not know of the topic when kafkajs asks, which ends the wait by an error.
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: false });
    await producer.connect();
    const deadline = performance.now() + 30_000;
    for (;;) {
      const transaction = await producer.transaction();
      try {
        await transaction.send({ topic, messages: [{ value: 'warm' }] });
        const partitions = [{ partition: 0, offset: '0' }];
        await transaction.sendOffsets({ consumerGroupId: 'warm-up', topics: [{ topic, partitions }] });
        await transaction.commit();
        return;
      } catch (error) {
        // Coordinators that are not there yet.
        if (performance.now() > deadline) throw error;
        await transaction.abort();
        await sleep(50);
      }
    }
  } finally {
    await Promise.allSettled([producer.disconnect(), admin.disconnect()]);
  }
}
