import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, type ClientReadableStream } from '@grpc/grpc-js';
import type { Kafka } from 'kafkajs';
import { EventServiceClient } from '../../../src/records/generated/blinkstream/v1/events_service.js';
import type { OwnBroker } from '../../support/kafka/server.js';
import { differenceOf, type Difference } from '../comparison.js';
import { Subscriber } from '../subscriber.js';
import { byCamera, committedEvents, deadLetters, isCovered, type EventsByCamera } from './events.js';
import type { KafkaFault } from './faults.js';
import { Instance, type InstanceOptions } from './instance.js';

const pollMs = 50;
const coveragePollMs = 500;
/** Nothing that is waited for takes so long, were it to come at all. */
const patienceMs = 600_000;
/**
 * A stage is reached in this time, or not in this life: the instance may have been given nothing to do. Twice as long after
 * each that was not: what is left of a job may come only to an instance that lives long, as the end of a window does.
 */
const stageMs = 12_000;
/** A server that is up is reached in this time. */
const reachMs = 5_000;

export interface KafkaJobOptions extends Omit<InstanceOptions, 'folder'> {
  readonly folder: string;
  readonly broker: OwnBroker;
  readonly client: Kafka;
  /** That are there all the time, but for being killed. */
  readonly instances: number;
}

/** What the readers of a job missed or got twice, against the undisturbed run. */
export interface KafkaJobResult {
  readonly overGrpc: readonly Difference[];
  readonly ofConsumer: Difference;
  readonly retries: number;
  /** What was put aside: a loss that is accounted for. */
  readonly deadLetters: readonly string[];
}

/** One run over a topic by several instances, with a subscriber at each of those that stay. */
export class KafkaJob {
  /** Everything that was sent is covered by a checkpoint. */
  isOver = false;
  readonly #options: KafkaJobOptions;
  readonly #instances: Instance[];
  /** Joins and leaves. */
  readonly #guest: Instance;
  readonly #subscribers: Subscriber[];
  #stageMs = stageMs;
  readonly #stalled = new Set<ClientReadableStream<unknown>>();
  readonly #ending = new AbortController();
  readonly #watching: Promise<void>;

  private constructor(options: KafkaJobOptions, instances: Instance[], guest: Instance) {
    this.#options = options;
    this.#instances = instances;
    this.#guest = guest;
    this.#subscribers = instances.map(({ address }) => new Subscriber(address));
    this.#watching = this.#watchCoverage();
  }

  static async begin(options: KafkaJobOptions): Promise<KafkaJob> {
    await mkdir(options.folder);
    const prepared = await Promise.all(
      Array.from({ length: options.instances + 1 }, (_, i) =>
        Instance.prepare({ ...options, folder: join(options.folder, `${i}`) }),
      ),
    );
    const instances = prepared.slice(0, -1);
    for (const instance of instances) instance.start();
    return new KafkaJob(options, instances, prepared[prepared.length - 1]);
  }

  /** How many events the first subscriber has read. */
  get read(): number {
    return this.#subscribers[0].events.length;
  }

  /**
   * Lets the fault happen. An instance that was killed is down until its next fault. Faults of different targets may
   * overlap.
   * @returns false where it could not: the stage was not reached, or the job was over
   */
  async suffer(fault: KafkaFault): Promise<boolean> {
    switch (fault.at) {
      case 'instance':
        await Promise.all(fault.instances.map((i) => this.#instances[i].kill()));
        for (const i of fault.instances) this.#instances[i].revive();
        return true;
      case 'worker-process':
        this.#instances[fault.instance].revive();
        return this.#untilOver(() => this.#instances[fault.instance].killWorker());
      case 'broker':
        await this.#options.broker.restart();
        return true;
      case 'join':
        await this.#join();
        return true;
      case 'leave':
        // In good order where it has had the time to begin, else as it is.
        await this.#guest.stop();
        return true;
      case 'storm':
        for (let round = 0; round < fault.rounds; round++) {
          await this.#guest.stop();
          await this.#join();
        }
        return true;
      case 'stall':
        return this.#stall(this.#instances[fault.instance]);
      default: {
        const instance = this.#instances[fault.instance];
        await instance.kill();
        instance.start({ point: fault.at, passing: fault.passing });
        const deadlineMs = performance.now() + this.#stageMs;
        await this.#untilOver(() => instance.wasHit || performance.now() > deadlineMs);
        // From outside, where the stage was not reached, or the process that has ended was its worker.
        const { wasHit } = instance;
        await instance.kill();
        this.#stageMs = wasHit ? stageMs : this.#stageMs * 2;
        return wasHit;
      }
    }
  }

  /** Lets the run come to its end and tells what its readers have. */
  async finish(expected: EventsByCamera): Promise<KafkaJobResult> {
    for (const instance of this.#instances) instance.revive();
    await this.done();
    for (const subscriber of this.#subscribers) await this.#until(() => subscriber.isAtEnd());
    const { client, prefix } = this.#options;
    const [events, aside] = [await this.events(), await deadLetters(client, prefix)];
    await this.end();
    return {
      overGrpc: this.#subscribers.map((subscriber) => difference(expected, byCamera(subscriber.events))),
      ofConsumer: difference(expected, events),
      retries: this.#subscribers.reduce((sum, { retries }) => sum + retries, 0),
      deadLetters: aside,
    };
  }

  done(): Promise<void> {
    return this.#until(() => this.isOver);
  }

  /** As a read-committed consumer sees them. */
  events(): Promise<EventsByCamera> {
    return committedEvents(this.#options.client, this.#options.prefix);
  }

  async end(): Promise<void> {
    await this.#stopWatching();
    await Promise.all(this.#subscribers.map((subscriber) => subscriber.stop()));
    await Promise.all([...this.#instances, this.#guest].map((instance) => instance.stop()));
  }

  async abandon(): Promise<void> {
    await this.#stopWatching();
    await Promise.all([...this.#instances, this.#guest].map((instance) => instance.kill()));
    await Promise.allSettled(this.#subscribers.map((subscriber) => subscriber.stop()));
  }

  /** @throws what ended a subscriber or an instance that nobody has ended */
  check(): void {
    this.#options.signal.throwIfAborted();
    for (const subscriber of this.#subscribers) subscriber.check();
    for (const instance of [...this.#instances, this.#guest]) instance.check();
  }

  async #stopWatching(): Promise<void> {
    this.#ending.abort();
    for (const call of this.#stalled) call.cancel();
    await this.#watching;
  }

  async #watchCoverage(): Promise<void> {
    const { client, topic, group } = this.#options;
    while (!this.isOver && !this.#ending.signal.aborted) {
      const admin = client.admin();
      try {
        await admin.connect();
        while (!this.isOver && !this.#ending.signal.aborted) {
          this.isOver = await isCovered(admin, topic, `${group}.watch`);
          await sleep(coveragePollMs);
        }
      } catch {
        // The broker is down; a job that is never over is told by `done`.
        await sleep(coveragePollMs);
      } finally {
        await admin.disconnect();
      }
    }
  }

  async #join(): Promise<void> {
    this.#guest.revive();
    await sleep(300);
  }

  /** Subscribes, and reads nothing. */
  async #stall(instance: Instance): Promise<boolean> {
    instance.revive();
    const client = new EventServiceClient(instance.address, credentials.createInsecure());
    const isReached = await new Promise<boolean>((resolve) =>
      client.waitForReady(Date.now() + reachMs, (error) => resolve(error === undefined)),
    );
    if (!isReached || this.#ending.signal.aborted) {
      client.close();
      return false;
    }
    const call = client.subscribe({ cursor: Buffer.alloc(0), filter: undefined, onlyNew: false, untilEnd: false });
    call.on('error', () => {
      this.#stalled.delete(call);
      client.close();
    });
    call.pause();
    this.#stalled.add(call);
    return true;
  }

  /** @returns whether it has come before the job was over */
  async #untilOver(condition: () => boolean | Promise<boolean>): Promise<boolean> {
    let hasCome = false;
    await this.#until(async () => {
      hasCome = await condition();
      return hasCome || this.isOver;
    });
    return hasCome;
  }

  async #until(condition: () => boolean | Promise<boolean>): Promise<void> {
    let [read, deadlineMs] = [this.read, performance.now() + patienceMs];
    while (!(await condition())) {
      this.check();
      // A long job is none that hangs: only where nothing more is read, too, does nothing happen.
      if (this.read !== read) [read, deadlineMs] = [this.read, performance.now() + patienceMs];
      if (performance.now() > deadlineMs) throw new Error(`nothing happened in ${patienceMs / 1_000} s`);
      await sleep(pollMs);
    }
  }
}

/** Order is promised within each camera. */
function difference(expected: EventsByCamera, found: EventsByCamera): Difference {
  const all = [...new Set([...expected.keys(), ...found.keys()])].map((camera) =>
    differenceOf(expected.get(camera) ?? [], found.get(camera) ?? []),
  );
  return {
    lost: all.reduce((sum, { lost }) => sum + lost, 0),
    duplicated: all.reduce((sum, { duplicated }) => sum + duplicated, 0),
    examples: all.flatMap(({ examples }) => examples).slice(0, 3),
  };
}
