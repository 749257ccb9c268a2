import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, type ClientReadableStream } from '@grpc/grpc-js';
import type { Kafka } from 'kafkajs';
import { EventServiceClient } from '../../../src/records/generated/blinkstream/v1/events_service.js';
import type { OwnBroker } from '../../support/kafka/server.js';
import { differenceOf, type Difference } from '../comparison.js';
import { Subscriber } from '../subscriber.js';
import { byCamera, committedEvents, isCovered, type EventsByCamera } from './events.js';
import type { KafkaFault } from './faults.js';
import { Instance, type InstanceOptions } from './instance.js';

const pollMs = 50;
/** Nothing that is waited for takes so long, were it to come at all. */
const patienceMs = 600_000;
/** A stage is reached in this time, or not in this life: the instance may have been given nothing to do. */
const stageMs = 8_000;

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
}

/** One run over a topic by several instances, with a subscriber at each of those that stay. */
export class KafkaJob {
  readonly #options: KafkaJobOptions;
  readonly #instances: Instance[];
  /** Joins and leaves. */
  readonly #guest: Instance;
  readonly #subscribers: Subscriber[];
  readonly #stalled = new Set<ClientReadableStream<unknown>>();

  private constructor(options: KafkaJobOptions, instances: Instance[], guest: Instance) {
    this.#options = options;
    this.#instances = instances;
    this.#guest = guest;
    this.#subscribers = instances.map(({ address }) => new Subscriber(address));
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

  /** Lets the fault happen. False where the job was done before it could. */
  async suffer(fault: KafkaFault): Promise<boolean> {
    this.check();
    if (await this.isDone()) return false;
    switch (fault.at) {
      case 'instance':
        await Promise.all(fault.instances.map((i) => this.#instances[i].kill()));
        for (const i of fault.instances) this.#instances[i].start();
        return true;
      case 'worker-process':
        return this.#until(() => this.#instances[fault.instance].killWorker());
      case 'broker':
        await this.#options.broker.restart();
        return true;
      case 'join':
        await this.#join();
        return true;
      case 'leave':
        await this.#leave();
        return true;
      case 'storm':
        for (let round = 0; round < fault.rounds; round++) {
          await this.#leave();
          await this.#join();
        }
        return true;
      case 'stall':
        this.#stall(this.#instances[fault.instance]);
        return true;
      default: {
        const instance = this.#instances[fault.instance];
        await instance.kill();
        instance.start({ point: fault.at, passing: fault.passing });
        const deadlineMs = performance.now() + stageMs;
        await this.#until(() => instance.wasHit || performance.now() > deadlineMs);
        // From outside, where the stage was not reached.
        await instance.kill();
        instance.start();
        return true;
      }
    }
  }

  /** Lets the run come to its end and tells what its readers have. */
  async finish(expected: EventsByCamera): Promise<KafkaJobResult> {
    await this.#until(() => this.isDone());
    for (const subscriber of this.#subscribers) await this.#until(() => subscriber.isAtEnd());
    const events = await this.events();
    await this.end();
    return {
      overGrpc: this.#subscribers.map((subscriber) => difference(expected, byCamera(subscriber.events))),
      ofConsumer: difference(expected, events),
      retries: this.#subscribers.reduce((sum, { retries }) => sum + retries, 0),
    };
  }

  /** As a read-committed consumer sees them. */
  events(): Promise<EventsByCamera> {
    return committedEvents(this.#options.client, this.#options.prefix);
  }

  async end(): Promise<void> {
    for (const call of this.#stalled) call.cancel();
    await Promise.all(this.#subscribers.map((subscriber) => subscriber.stop()));
    await Promise.all([...this.#instances, this.#guest].map((instance) => instance.stop()));
  }

  async abandon(): Promise<void> {
    for (const call of this.#stalled) call.cancel();
    await Promise.all([...this.#instances, this.#guest].map((instance) => instance.kill()));
    await Promise.allSettled(this.#subscribers.map((subscriber) => subscriber.stop()));
  }

  /** Everything that was sent is covered by a checkpoint. */
  isDone(): Promise<boolean> {
    const { client, topic, group } = this.#options;
    return isCovered(client, topic, group);
  }

  /** @throws what ended a subscriber or an instance that nobody has ended */
  check(): void {
    this.#options.signal.throwIfAborted();
    for (const subscriber of this.#subscribers) subscriber.check();
    for (const instance of [...this.#instances, this.#guest]) instance.check();
  }

  async #join(): Promise<void> {
    if (!this.#guest.isRunning) this.#guest.start();
    await sleep(300);
  }

  /** In good order where it has had the time to begin, else as it is. */
  async #leave(): Promise<void> {
    await this.#guest.stop();
  }

  /** Subscribes, and reads nothing. */
  #stall({ address }: Instance): void {
    const client = new EventServiceClient(address, credentials.createInsecure());
    const call = client.subscribe({ cursor: Buffer.alloc(0), filter: undefined, onlyNew: false, untilEnd: false });
    call.on('error', () => {
      this.#stalled.delete(call);
      client.close();
    });
    call.pause();
    this.#stalled.add(call);
  }

  /** @returns true when it has come, false where the job was done before that */
  async #until(condition: () => boolean | Promise<boolean>): Promise<boolean> {
    const deadlineMs = performance.now() + patienceMs;
    while (!(await condition())) {
      this.check();
      if (performance.now() > deadlineMs) throw new Error(`nothing happened in ${patienceMs / 1_000} s`);
      await sleep(pollMs);
    }
    return true;
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
