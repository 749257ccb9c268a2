import { readFile, mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { KillPoint } from '../../../src/records/kill-points.js';
import { Life } from '../life.js';
import { allowedLatenessMs } from './cameras.js';

export interface InstanceOptions {
  readonly folder: string;
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly group: string;
  /** Of the log. */
  readonly prefix: string;
  readonly partitions: number;
  /** Sections of its deployment file that are other than they would be. */
  readonly sections?: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** Short, so that what is killed is taken over soon. */
const sessionTimeoutMs = 2_000;

/** One instance of a service, through any number of lives; each begins where the last one ended. */
export class Instance {
  readonly address: string;
  /** The deployment file. */
  readonly file: string;
  readonly #options: InstanceOptions;
  #life: Life | undefined;
  #lives = 0;

  private constructor(options: InstanceOptions) {
    this.#options = options;
    this.file = join(options.folder, 'deployment.yaml');
    this.address = `unix:${join(options.folder, 'grpc')}`;
  }

  /** Writes its deployment file; it runs from `start` on. */
  static async prepare(options: InstanceOptions): Promise<Instance> {
    const instance = new Instance(options);
    const { brokers, topic, group, prefix, partitions, sections } = options;
    await mkdir(options.folder, { recursive: true });
    // JSON is YAML.
    const deployment = {
      topologies: [{ kind: 'watch', options: { allowedLatenessMs } }],
      kafka: { brokers },
      sources: [{ name: 'cameras', kind: 'kafka', topic, group, sessionTimeoutMs, handOverMs: 3_000, idleMs: 1_000 }],
      log: { folder: 'index', kafka: { prefix, partitions, graceMs: 1_000 } },
      outputs: { grpc: { listen: instance.address } },
      workers: { children: 1 },
      limits: { budgetMiB: 256, maxSources: 64 },
      shutdown: { deadlineMs: 15_000 },
      retention: { pruneEveryMs: 5_000 },
      ...sections,
    };
    await writeFile(instance.file, JSON.stringify(deployment, null, 2));
    return instance;
  }

  get isRunning(): boolean {
    return this.#life?.hasEnded === false;
  }

  /** @param killAt the stage at which it is to kill itself, and at which passing */
  start(killAt?: { readonly point: KillPoint; readonly passing: number }): void {
    this.#lives += 1;
    this.#life = new Life({
      args: ['run', this.file],
      signal: this.#options.signal,
      ...(killAt && { killAt: `${killAt.point}:${killAt.passing}:${this.#hit}` }),
    });
  }

  /** Starts it where it is down. */
  revive(): void {
    if (!this.isRunning) this.start();
  }

  /** Whether this life has killed itself, or its worker, as it was told to. */
  get wasHit(): boolean {
    return existsSync(this.#hit);
  }

  /** @throws Error where it has ended although nobody has ended it */
  check(): void {
    const life = this.#life;
    if (life?.hasEnded === true && !life.wasKilled) throw new Error(`an instance ended by itself, ${life.account}`);
  }

  async kill(): Promise<void> {
    await this.#life?.kill();
  }

  async stop(): Promise<void> {
    if (this.isRunning) await this.#life?.stop();
    this.#life = undefined;
  }

  /** @returns whether there was one */
  async killWorker(): Promise<boolean> {
    if (!this.isRunning) return false;
    const children = `/proc/${this.#life?.pid}/task/${this.#life?.pid}/children`;
    const [worker] = (await readFile(children, 'utf8').catch(() => '')).trim().split(' ').filter(Boolean);
    if (worker === undefined) return false;
    try {
      process.kill(Number(worker), 'SIGKILL');
      return true;
    } catch {
      return false;
    }
  }

  get #hit(): string {
    return join(this.#options.folder, `hit-${this.#lives}`);
  }
}
