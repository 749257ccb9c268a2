/**
 * A Kafka broker of one's own: a KRaft node on free loopback ports, for tests that kill it or configure it, for chaos
 * runs and benches. Needs nothing of vitest.
 *
 *     const kafka = await startBroker();                // or startBroker({ properties, listeners, formatArgs })
 *     kafka.brokers                                     // ['127.0.0.1:PORT'], plain text, whoever connects may do all
 *     kafka.addresses.TLS                               // of further listeners, by their name
 *     await kafka.kill9(); await kafka.start();         // the same data, the same port
 *     await kafka.restart();                            // both
 *     await kafka.close();                              // kills it and removes its data
 *
 * It cannot outlive the process that started it: a guard kills it when that process is gone, however it went.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findKafka, type JavaCommand, type KafkaInstallation } from './installation.js';
import { warmUp, whenReady } from './ready.js';
import { freePort } from '../free-port.js';

const run = promisify(execFile);

export interface BrokerOptions {
  /** Further lines of server.properties; they win over ours. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Listeners besides the plain one: name to protocol, such as `{ TLS: 'SSL', PASSWORD: 'SASL_PLAINTEXT' }`. */
  readonly listeners?: Readonly<Record<string, 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'>>;
  /** Further arguments of `kafka-storage format`, such as `--add-scram`. */
  readonly formatArgs?: readonly string[];
}

export interface OwnBroker {
  readonly brokers: readonly string[];
  /** `HOST:PORT` of each listener by its name; the plain one is `PLAINTEXT`. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Starts it again after `kill9`, and waits until it answers. */
  start(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill9(): Promise<void>;
  restart(): Promise<void>;
  /** Kills it and removes its data. */
  close(): Promise<void>;
}

const startAttempts = 4;

/** @throws NoKafka where nothing here runs a broker; Error with the broker's last lines where it does not start */
export async function startBroker(options: BrokerOptions = {}): Promise<OwnBroker> {
  const kafka = await findKafka();
  for (let attempt = 1; ; attempt++) {
    const folder = await mkdtemp(join(tmpdir(), 'blinkstream-kafka-'));
    const broker = new BrokerProcess(kafka, folder, options, await freePorts(options));
    try {
      await broker.format();
      await broker.start();
      await warmUp(broker.brokers);
      return broker;
    } catch (error) {
      const portTaken = broker.lastLines().includes('Address already in use');
      await broker.close();
      if (!portTaken || attempt === startAttempts) throw error;
    }
  }
}

type Ports = Readonly<Record<string, number>>;

/** From a start to the next kill. */
interface Life {
  readonly child: ChildProcess;
  readonly guard: ChildProcess;
  readonly killWords: readonly string[];
  /** Aborts when the process has ended. */
  readonly gone: AbortSignal;
}

class BrokerProcess implements OwnBroker {
  readonly addresses: Readonly<Record<string, string>>;
  readonly #log: string;
  readonly #config: string;
  #life: Life | undefined;

  constructor(
    readonly kafka: KafkaInstallation,
    readonly folder: string,
    readonly options: BrokerOptions,
    readonly ports: Ports,
  ) {
    this.#log = join(folder, 'server.log');
    this.#config = join(folder, 'server.properties');
    const names = Object.keys(ports).filter((name) => name !== 'CONTROLLER');
    this.addresses = Object.fromEntries(names.map((name) => [name, `127.0.0.1:${ports[name]}`]));
  }

  get brokers(): readonly string[] {
    return [this.addresses.PLAINTEXT];
  }

  async format(): Promise<void> {
    await writeFile(this.#config, serverProperties(this.folder, this.ports, this.options));
    // A cluster id is 16 bytes in base64url; one that begins with "-" would be taken for an option.
    const cluster = Buffer.concat([Buffer.from([0]), randomBytes(15)]).toString('base64url');
    const format = ['format', '-t', cluster, '-c', this.#config, ...(this.options.formatArgs ?? [])];
    const java = this.kafka.java(this.folder, ['-Xmx96m', 'kafka.tools.StorageTool', ...format]);
    await run(java.file, java.args);
  }

  async start(): Promise<void> {
    if (this.#life !== undefined) throw new Error('this broker runs already');
    const java = this.kafka.java(this.folder, [...jvmOptions, 'kafka.Kafka', this.#config]);
    const { child, gone } = await spawnLogged(java, this.#log);
    const killWords = java.killWords(child.pid ?? NaN);
    this.#life = { child, guard: startGuard(killWords, this.folder), killWords, gone };
    try {
      // The plain one: those that want TLS answer nothing to plain text, and all of them are opened together.
      await whenReady(this.addresses.PLAINTEXT, gone);
    } catch (error) {
      throw new Error(`the broker does not start; it wrote last:\n${this.lastLines()}`, { cause: error });
    }
  }

  async kill9(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    this.#life = undefined;
    // The guard goes first: a pid that is free again may be somebody else's.
    life.guard.kill('SIGKILL');
    if (!life.gone.aborted) {
      // Waited for, and so a reason to stay up.
      life.child.ref();
      const gone = once(life.gone, 'abort');
      await run(life.killWords[0], life.killWords.slice(1));
      await gone;
    }
  }

  async restart(): Promise<void> {
    await this.kill9();
    await this.start();
  }

  async close(): Promise<void> {
    await this.kill9();
    await rm(this.folder, { recursive: true, force: true });
  }

  lastLines(): string {
    try {
      return readFileSync(this.#log, 'utf8').split('\n').slice(-40).join('\n');
    } catch {
      return '(nothing)';
    }
  }
}

const jvmOptions = [
  ...['-Xms256m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

/** In a process group of its own: the terminal's Ctrl-C is for the tests, which then end it. */
async function spawnLogged(java: JavaCommand, log: string): Promise<{ child: ChildProcess; gone: AbortSignal }> {
  const output = openSync(log, 'a');
  try {
    const child = spawn(java.file, java.args, { stdio: ['ignore', output, output], detached: true });
    const gone = new AbortController();
    child.once('exit', () => gone.abort(new Error('its process has ended')));
    await once(child, 'spawn');
    // Running, it is no reason for us to stay up.
    child.unref();
    return { child, gone: gone.signal };
  } finally {
    closeSync(output);
  }
}

/** Waits for the end of its input, which comes when we are gone, by kill -9 too; then kills and cleans up. */
function startGuard(kill: readonly string[], folder: string): ChildProcess {
  const script = 'folder=$1; shift; read -r _; "$@"; sleep 1; rm -rf "$folder"';
  const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore'];
  const guard = spawn('sh', ['-c', script, 'guard', folder, ...kill], { stdio, detached: true });
  guard.unref();
  return guard;
}

const serverProperties = (folder: string, ports: Ports, { properties = {}, listeners = {} }: BrokerOptions): string => {
  const { CONTROLLER: controller, ...open } = ports;
  const addresses = Object.entries(open).map(([name, port]) => `${name}://127.0.0.1:${port}`);
  const protocols = { CONTROLLER: 'PLAINTEXT', PLAINTEXT: 'PLAINTEXT', ...listeners };
  const all = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${controller}`].join(','),
    'advertised.listeners': addresses.join(','),
    'listener.security.protocol.map': Object.entries(protocols)
      .map(([name, protocol]) => `${name}:${protocol}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'message.max.bytes': '3145728',
    'replica.fetch.max.bytes': '4194304',
    'log.cleaner.dedupe.buffer.size': '4194304',
    // A restart after kill -9 waits until the session of the life before is over.
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '250',
    'group.min.session.timeout.ms': '500',
    ...properties,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
};

async function freePorts({ listeners = {} }: BrokerOptions): Promise<Ports> {
  const ports: Record<string, number> = {};
  for (const name of ['PLAINTEXT', 'CONTROLLER', ...Object.keys(listeners)]) {
    do ports[name] = await freePort();
    while (Object.entries(ports).some(([other, port]) => other !== name && port === ports[name]));
  }
  return ports;
}
