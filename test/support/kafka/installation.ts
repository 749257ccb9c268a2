import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const version = '4.4.0';
const neededJava = 17;
const image = `apache/kafka:${version}`;

/** A Java process with Kafka's classes, as it is started and ended. */
export interface JavaCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** The words that end what was started under this pid at once. */
  readonly killWords: (pid: number) => readonly string[];
}

/** Where Kafka's classes are, and what runs them. */
export interface KafkaInstallation {
  /** For people: `Java 17 with the jars of …`. */
  readonly what: string;
  /** `folder` is the one that the process reads and writes; `options` are the JVM's, then main class and arguments. */
  java(folder: string, options: readonly string[]): JavaCommand;
}

/** Nothing on this machine runs a broker. */
export class NoKafka extends Error {
  override name = 'NoKafka';
  readonly remedy =
    `install Java ${neededJava} or newer and Maven (which fetches Kafka once), or Docker, ` +
    'or set KAFKA_BROKERS to a broker that is there';
}

/**
 * Java with jars that are cached or that Maven fetches, else Docker. The cache is `BLINKSTREAM_KAFKA_JARS`, else
 * `blinkstream/kafka-VERSION` in the user's cache folder.
 * @throws NoKafka
 */
export async function findKafka(env = process.env): Promise<KafkaInstallation> {
  const problems: string[] = [];
  const attempt = async <T>(find: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await find();
    } catch (error) {
      problems.push(String(error instanceof Error ? error.message : error).split('\n', 1)[0]);
      return undefined;
    }
  };
  const withJars = await attempt(async () => {
    const java = await findJava(env);
    return inProcess(java, await jars(env));
  });
  const found = withJars ?? (await attempt(inDocker));
  if (found === undefined) throw new NoKafka(`no Kafka broker can be started here: ${problems.join('; ')}`);
  return found;
}

async function findJava(env: NodeJS.ProcessEnv): Promise<string> {
  const java = env.JAVA_HOME === undefined ? 'java' : join(env.JAVA_HOME, 'bin', 'java');
  const { stderr } = await run(java, ['-version']);
  const major = Number(/version "(\d+)/.exec(stderr)?.[1]);
  if (!(major >= neededJava)) throw new Error(`${java} is older than ${neededJava}`);
  return java;
}

/** Folder of the jars. It is filled beside its place and then renamed, so that it is there whole or not at all. */
async function jars(env: NodeJS.ProcessEnv): Promise<string> {
  const cache = env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = env.BLINKSTREAM_KAFKA_JARS ?? join(cache, 'blinkstream', `kafka-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const fetched = await mkdtemp(`${folder}-`);
  try {
    await writeFile(join(fetched, 'pom.xml'), pom);
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${fetched}/jars`];
    await run('mvn', ['-B', '-ntp', '-q', '-f', join(fetched, 'pom.xml'), ...goal]);
    await rename(join(fetched, 'jars'), folder);
  } catch (error) {
    // Another run may have been faster: its folder is as good.
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
  return folder;
}

/** slf4j-simple: without a logger the broker's errors are invisible. */
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.blinkstream</groupId>
  <artifactId>kafka-of-the-tests</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;

const inProcess = (java: string, folder: string): KafkaInstallation => ({
  what: `${java} with the jars of ${folder}`,
  java: (_, options) => ({
    file: java,
    args: ['-cp', join(folder, '*'), ...options],
    killWords: (pid) => ['kill', '-9', String(pid)],
  }),
});

async function inDocker(): Promise<KafkaInstallation> {
  await run('docker', ['info']);
  let containers = 0;
  return {
    what: `Docker image ${image}`,
    java: (folder, options) => {
      containers += 1;
      const name = `blinkstream-kafka-${process.pid}-${containers}`;
      // The host's network, so that the advertised address is the same inside and outside.
      const container = ['--rm', '--name', name, '--network', 'host', '-v', `${folder}:${folder}`];
      const user = ['--user', `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`, '--entrypoint', 'java'];
      return {
        file: 'docker',
        args: ['run', ...container, ...user, image, '-cp', '/opt/kafka/libs/*', ...options],
        killWords: () => ['docker', 'kill', name],
      };
    },
  };
}
