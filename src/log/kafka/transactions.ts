import type { Kafka, Producer, Transaction } from 'kafkajs';
import { kafkaError } from '../../kafka/errors.js';

/** A transaction that is not over by then is given up by the broker, ms: what others wrote behind it waits for that. */
const TRANSACTION_MS = 10_000;

/**
 * The one producer that writes under a transactional id. Whoever opens another under the same id fences it: what it has
 * begun is given up, and it can begin nothing any more.
 *
 * After any failure it is of no use and its last transaction may or may not have been committed: kafkajs is left in a
 * state that it cannot get out of. A new one under the same id settles it one way or the other before it opens.
 */
export class TransactionalProducer {
  readonly #producer: Producer;
  readonly #id: string;

  private constructor(producer: Producer, id: string) {
    this.#producer = producer;
    this.#id = id;
  }

  /** @throws BlinkstreamError of `kafkaError` */
  static async open(kafka: Kafka, transactionalId: string): Promise<TransactionalProducer> {
    const producer = kafka.producer({
      transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: TRANSACTION_MS,
    });
    try {
      await producer.connect();
      // Connecting alone fences nobody: kafkajs asks for the transactional id's producer at the first transaction.
      await (await producer.transaction()).abort();
      return new TransactionalProducer(producer, transactionalId);
    } catch (error) {
      await quietly(() => producer.disconnect());
      throw kafkaError(error, { transactionalId });
    }
  }

  /**
   * All of what `write` sends, or nothing of it. `write` must send before it sends offsets: kafkajs does not try again
   * where offsets come first.
   * @throws BlinkstreamError of `kafkaError`: then the outcome is not known, and this producer is of no use
   */
  async transact(write: (transaction: Transaction) => Promise<void>): Promise<void> {
    let transaction: Transaction | undefined;
    try {
      transaction = await this.#producer.transaction();
      await write(transaction);
      await transaction.commit();
    } catch (error) {
      // So that those who read what is committed need not wait for its time-out.
      if (transaction?.isActive() === true) await quietly(() => transaction?.abort());
      throw kafkaError(error, { transactionalId: this.#id });
    }
  }

  close(): Promise<void> {
    return quietly(() => this.#producer.disconnect());
  }
}

/** For the end of what has failed already, or is over: that it fails too says nothing new. */
async function quietly(end: () => Promise<void> | undefined): Promise<void> {
  try {
    await end();
  } catch {
    return;
  }
}
