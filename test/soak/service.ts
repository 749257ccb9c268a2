import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials, type ClientReadableStream } from '@grpc/grpc-js';
import { EventServiceClient } from '../../src/records/generated/blinkstream/v1/events_service.js';

export interface DeploymentOptions {
  readonly folder: string;
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly group: string;
  readonly prefix: string;
  readonly partitions: number;
  readonly cameras: number;
  readonly budgetMiB: number;
}

/** Writes the deployment file of a service with a log in Kafka that keeps so little that it prunes all the time. */
export async function writeDeployment(options: DeploymentOptions): Promise<{ file: string; address: string }> {
  const { folder, brokers, topic, group, prefix, partitions, cameras, budgetMiB } = options;
  const address = `unix:${join(folder, 'grpc')}`;
  const deployment = {
    topologies: [{ kind: 'watch' }],
    kafka: { brokers },
    sources: [{ name: 'cameras', kind: 'kafka', topic, group }],
    log: { folder: 'index', kafka: { prefix, partitions } },
    outputs: { grpc: { listen: address } },
    workers: { children: 1 },
    limits: { budgetMiB, maxSources: cameras },
    retention: { maxEvents: 200, pruneEveryMs: 1_000 },
  };
  const file = join(folder, 'deployment.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(deployment, null, 2));
  return { file, address };
}

/** A subscriber that reads nothing. Each time that the server lets it go it comes again. */
export class StalledSubscriber {
  /** How often it was let go. */
  letGo = 0;
  readonly #client: EventServiceClient;
  #call: ClientReadableStream<unknown> | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(address: string) {
    this.#client = new EventServiceClient(address, credentials.createInsecure());
    this.#subscribe();
  }

  stop(): void {
    clearTimeout(this.#again);
    this.#call?.removeAllListeners().on('error', () => undefined);
    this.#call?.cancel();
    this.#client.close();
  }

  #subscribe(): void {
    const request = { cursor: Buffer.alloc(0), filter: undefined, onlyNew: false, untilEnd: false };
    this.#call = this.#client.subscribe(request);
    this.#call.pause();
    this.#call.on('error', () => {
      this.letGo += 1;
      this.#again = setTimeout(() => this.#subscribe(), 1_000);
    });
  }
}
