import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { DCLinter } from 'dclint';
import { validate as validateContainerfile } from 'dockerfile-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCli } from '../../src/cli/program.js';
import { parseDeployment } from '../../src/topology/deployment/parse.js';
import type { Deployment } from '../../src/topology/deployment/schema.js';
import { Secrets } from '../../src/topology/deployment/secrets.js';
import { manifestProblems, manifestsIn, type Manifest } from '../support/deploy/manifests.js';
import { root } from '../support/documents.js';

/** The types that it brings do not resolve from an ES module. */
const Linter = DCLinter as unknown as new (config: object) => {
  lintFiles(paths: string[], recursive: boolean): { readonly messages: readonly { readonly message: string }[] }[];
};

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const filesOf = (folder: string): string[] =>
  readdirSync(join(root, folder)).filter((file) => file !== 'kustomization.yaml');
const manifestsOf = (folder: string): Manifest[] =>
  filesOf(folder).flatMap((file) => manifestsIn(read(`${folder}/${file}`)));
const kubernetes = filesOf('deploy/kubernetes');
const instances = manifestsOf('deploy/kubernetes');
const overKafka = manifestsOf('deploy/kubernetes-kafka');
const manifests = [...instances, ...overKafka];

/** What is mounted from the secret of the token, and what the one for the environment holds. */
const mounted = new Secrets(
  new Map([
    ['${file:/etc/blinkstream-token/token}', { value: '0123456789abcdef'.repeat(4) }],
    ['${env:KAFKA_USERNAME}', { value: 'blinkstream' }],
    ['${env:KAFKA_PASSWORD}', { value: 'fedcba9876543210' }],
  ]),
);

const deploymentIn = (yaml: string): Deployment => {
  const parsed = parseDeployment(yaml, mounted);
  if ('deployment' in parsed) return parsed.deployment;
  throw new Error(parsed.mistakes.map(({ line, column, message }) => `${line}:${column} ${message}`).join('\n'));
};

/** A copy in which the first `from` of its JSON is `to`. */
const mutated = (kind: string, from: string, to: string): Manifest[] =>
  manifests
    .filter((manifest) => manifest.kind === kind)
    .slice(0, 1)
    .map((manifest) => {
      const text = JSON.stringify(manifest);
      if (!text.includes(from)) throw new Error(`there is no ${from} in ${kind}`);
      return JSON.parse(text.replace(from, to)) as Manifest;
    });

describe('deploy/kubernetes', () => {
  it('is what the schemas of Kubernetes and KEDA allow', { timeout: 120_000 }, async () => {
    expect(manifests.map(({ kind }) => kind).sort()).toEqual([
      'ConfigMap',
      'ConfigMap',
      'NetworkPolicy',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'ScaledObject',
      'Service',
      'Service',
      'StatefulSet',
      'StatefulSet',
      'TriggerAuthentication',
    ]);
    expect(await manifestProblems(manifests)).toEqual([]);
  });

  it.each([
    ['a field that is not there', 'StatefulSet', '"readinessProbe"', '"readynessProbe"'],
    [
      'a field of another level',
      'StatefulSet',
      '"enableServiceLinks":false',
      '"enableServiceLinks":false,"replicas":2',
    ],
    ['a number as text', 'StatefulSet', '"terminationGracePeriodSeconds":45', '"terminationGracePeriodSeconds":"45s"'],
    ['a value that is none of the list', 'NetworkPolicy', '"policyTypes":["Ingress"', '"policyTypes":["Inbound"'],
    ['a version that has no such object', 'PodDisruptionBudget', '"policy/v1"', '"apps/v1"'],
    ['a scaler without its metadata', 'ScaledObject', '"metadata":{"bootstrapServers"', '"meta":{"bootstrapServers"'],
    ['a scaler with another field', 'ScaledObject', '"maxReplicaCount"', '"maxReplicas"'],
  ])('is refused with %s', { timeout: 120_000 }, async (_, kind, from, to) => {
    expect(await manifestProblems(mutated(kind, from, to))).not.toEqual([]);
  });

  it('names in kustomization.yaml the files that there are', () => {
    const { resources } = parse(read('deploy/kubernetes/kustomization.yaml')) as { resources: string[] };
    // GPU workers are for those who have GPUs.
    expect([...resources, 'worker-gpu.yaml'].sort()).toEqual(kubernetes.sort());
  });
});

/** What of a pod is looked at here. */
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: { readonly runAsNonRoot: boolean };
  readonly containers: readonly {
    readonly args: readonly string[];
    readonly securityContext: { readonly readOnlyRootFilesystem: boolean; readonly allowPrivilegeEscalation: boolean };
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly readinessProbe: { readonly httpGet: { readonly path: string } };
    readonly livenessProbe: { readonly httpGet: { readonly path: string } };
    readonly volumeMounts: readonly { readonly mountPath: string }[];
  }[];
}

describe('the instances of deploy/kubernetes', () => {
  const configMap = manifests.find(({ kind }) => kind === 'ConfigMap');
  const deployment = deploymentIn(configMap?.data?.['deployment.yaml'] ?? '');
  const { template } = manifests.find(({ kind }) => kind === 'StatefulSet')?.spec as {
    template: { metadata: Manifest['metadata']; spec: Pod };
  };
  const pod = template.spec;
  const [container] = pod.containers;

  it('run a deployment file that is valid, with the log on their volume', () => {
    const [, file] = container.args;
    expect(container.args[0]).toBe('run');
    const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
    expect(mounts.some((path) => file === `${path}/deployment.yaml`)).toBe(true);
    expect(mounts.some((path) => deployment.log.folder.startsWith(`${path}/`))).toBe(true);
  });

  it('are probed where they serve health', () => {
    expect(deployment.operation.listen).toBe(`0.0.0.0:${container.ports[0].containerPort}`);
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
    expect(container.livenessProbe.httpGet.path).toBe('/healthz');
  });

  it('have more time to end than they take', () => {
    const { deadlineMs } = deployment.shutdown;
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(deadlineMs + 10_000);
  });

  it('are nobody in particular and write to their volumes alone', () => {
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
  });

  it('are whom service, disruption budget, network policy and scaler mean', () => {
    const specOf = (kind: string) => manifests.find((manifest) => manifest.kind === kind)?.spec as object;
    const { labels } = template.metadata;
    expect(specOf('Service')).toHaveProperty('selector', labels);
    expect(specOf('PodDisruptionBudget')).toHaveProperty('selector.matchLabels', labels);
    expect(specOf('NetworkPolicy')).toHaveProperty('podSelector.matchLabels', labels);
    const scaled = manifests.find(({ kind }) => kind === 'StatefulSet');
    expect(specOf('ScaledObject')).toHaveProperty('scaleTargetRef', {
      apiVersion: scaled?.apiVersion,
      kind: scaled?.kind,
      name: scaled?.metadata.name,
    });
  });
});

describe('deploy/kubernetes-kafka', () => {
  interface Kustomization {
    readonly resources: readonly string[];
    readonly patches: readonly {
      readonly path?: string;
      readonly patch?: string;
      readonly target?: Readonly<Record<string, string>>;
    }[];
  }
  const { resources, patches } = parse(read('deploy/kubernetes-kafka/kustomization.yaml')) as Kustomization;
  const specOf = (kind: string) => overKafka.find((manifest) => manifest.kind === kind)?.spec;
  const configMap = overKafka.find(({ kind }) => kind === 'ConfigMap');
  const file = configMap?.data?.['deployment.yaml'] ?? '';
  const deployment = deploymentIn(file);
  const [source] = deployment.sources;
  if (source.kind !== 'kafka') throw new Error('its source is no topic');

  it('lies over the instances, with files that there are', () => {
    expect([...resources, ...patches.flatMap(({ path }) => path ?? [])].sort()).toEqual(
      ['../kubernetes', ...filesOf('deploy/kubernetes-kafka')].sort(),
    );
    const base = instances.find(({ kind }) => kind === 'ConfigMap');
    expect(configMap?.metadata).toEqual(base?.metadata);
    expect(Object.keys(configMap?.data ?? {})).toEqual(Object.keys(base?.data ?? {}));
  });

  it('leaves it to the scaler how many there are', () => {
    const [{ target, patch = '' }] = patches.filter((one) => one.patch !== undefined);
    const scaled = instances.find(({ kind, metadata }) => kind === target?.kind && metadata.name === target.name);
    expect(scaled?.apiVersion).toBe(`${target?.group}/${target?.version}`);
    expect(parse(patch)).toEqual([{ op: 'remove', path: '/spec/replicas' }]);
    expect(scaled?.spec).toHaveProperty('replicas');
  });

  it('scales by the lag of the group that reads, up to its partitions, as the user that reads', () => {
    const { triggers, maxReplicaCount } = specOf('ScaledObject') as {
      triggers: readonly { readonly metadata: Readonly<Record<string, string>> }[];
      maxReplicaCount: number;
    };
    const [{ kind }] = deployment.topologies;
    expect(triggers[0].metadata).toMatchObject({
      bootstrapServers: deployment.kafka?.brokers.join(','),
      topic: source.topic,
      consumerGroup: `${source.group}.${kind}`,
      sasl: deployment.kafka?.sasl?.mechanism.toLowerCase().replace('scram-sha-', 'scram_sha'),
      tls: 'enable',
    });
    expect(maxReplicaCount).toBe(deployment.log.kafka?.partitions);
    const { secretTargetRef } = specOf('TriggerAuthentication') as {
      secretTargetRef: readonly { readonly name: string; readonly key: string }[];
    };
    for (const { key } of secretTargetRef.filter(({ name }) => name === 'blinkstream')) {
      expect(file).toContain(`\${env:${key}}`);
    }
  });

  it('has its index on the volume of the instance, and ends within the time that the pod is given', () => {
    const { template } = instances.find(({ kind }) => kind === 'StatefulSet')?.spec as { template: { spec: Pod } };
    const mounts = template.spec.containers[0].volumeMounts.map(({ mountPath }) => `${mountPath}/`);
    expect(mounts.some((path) => deployment.log.folder.startsWith(path))).toBe(true);
    expect(mounts.some((path) => deployment.kafka?.tls?.ca?.startsWith(path))).toBe(true);
    expect(source.handOverMs).toBeLessThanOrEqual(deployment.shutdown.deadlineMs);
    const graceMs = template.spec.terminationGracePeriodSeconds * 1_000;
    expect(graceMs).toBeGreaterThanOrEqual(deployment.shutdown.deadlineMs + 10_000);
  });
});

describe('the GPU workers of deploy/kubernetes', () => {
  const file = read('deploy/kubernetes/worker-gpu.yaml');
  const [workers, service] = manifestsIn(file);
  const spec = workers.spec as {
    replicas: number;
    serviceName: string;
    template: { spec: { containers: { args: string[]; resources: { limits: Record<string, unknown> } }[] } };
  };
  const [{ args, resources }] = spec.template.spec.containers;

  it('are named one by one in the lines that are given for the deployment file, which is valid with them', () => {
    const lines = [...file.matchAll(/^# {3}(.*)$/gm)].map(([, line]) => line).join('\n');
    const yaml = manifests.find(({ kind }) => kind === 'ConfigMap')?.data?.['deployment.yaml'] ?? '';
    const { workers: asked } = deploymentIn(yaml.replace(/^workers:.*$/m, () => lines));
    const port = args[args.indexOf('--listen') + 1].split(':')[1];
    expect(asked.addresses).toEqual(
      Array.from({ length: spec.replicas }, (_, i) => `${workers.metadata.name}-${i}.${spec.serviceName}:${port}`),
    );
    expect(service.metadata.name).toBe(spec.serviceName);
  });

  it('are given a GPU each, and options that there are', async () => {
    expect(resources.limits['nvidia.com/gpu']).toBe(1);
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    await runCli([args[0], '--help'], { stdout, stderr, env: {}, signal: new AbortController().signal });
    stdout.end();
    const help = await text(stdout);
    expect(args.filter((arg) => arg.startsWith('--') && !help.includes(arg))).toEqual([]);
  });
});

describe('deploy/compose.yaml', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blinkstream-compose-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const problemsOf = async (yaml: string): Promise<string[]> => {
    const file = join(folder, 'compose.yaml');
    await writeFile(file, yaml);
    // An image that is built has a name all the same; the order of keys is a matter of taste.
    const linter = new Linter({
      rules: { 'no-build-and-image': 0, 'service-keys-order': 0 },
      ...{ quiet: false, debug: false, exclude: [] },
    });
    return linter.lintFiles([file], false).flatMap(({ messages }) => messages.map(({ message }) => message));
  };
  const compose = read('deploy/compose.yaml');

  it('is what the Compose Specification allows', async () => {
    expect(await problemsOf(compose)).toEqual([]);
  });

  it.each([
    ['a key that is not there', 'stop_grace_period', 'stop_grace_time'],
    ['a duration that is none', 'stop_grace_period: 35s', 'stop_grace_period: [35]'],
    ['a condition that is none', 'condition: service_healthy', 'condition: service_well'],
    ['a port that all the world reaches', "'127.0.0.1:9464:9464'", "'9464:9464'"],
  ])('is refused with %s', async (_, from, to) => {
    expect(compose).toContain(from);
    expect(await problemsOf(compose.replace(from, to))).not.toEqual([]);
  });

  const after = (command: readonly string[] = [], option: string): string | undefined =>
    command[command.indexOf(option) + 1];

  it('publishes by options that there are', async () => {
    const { services } = parse(compose) as { services: Record<string, { command: string[] }> };
    const [command, ...args] = services.publish.command;
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    await runCli([command, '--help'], { stdout, stderr, env: {}, signal: new AbortController().signal });
    stdout.end();
    const help = await text(stdout);
    expect(args.filter((arg) => arg.startsWith('--') && !help.includes(arg))).toEqual([]);
  });

  it('runs a deployment file that is valid, a subscriber of what that serves, and who publishes to it', () => {
    const { services } = parse(compose) as {
      services: Record<string, { command?: string[]; stop_grace_period?: string; volumes: string[] }>;
    };
    const deployment = deploymentIn(read('deploy/compose/deployment.yaml'));
    expect(services.blinkstream.volumes[0]).toBe('./compose/deployment.yaml:/etc/blinkstream/deployment.yaml:ro');
    expect(services.subscriber.command).toContain(deployment.outputs.grpc?.listen);
    expect(deployment.operation.listen).toBe('0.0.0.0:9464');
    // The topic is made with as many partitions as the log has, and what is published goes there.
    const [source] = deployment.sources;
    expect(source).toMatchObject({ kind: 'kafka', topic: after(services.topics.command, '--topic') });
    expect(after(services.topics.command, '--partitions')).toBe(String(deployment.log.kafka?.partitions));
    expect(after(services.topics.command, '--bootstrap-server')).toBe(deployment.kafka?.brokers[0]);
    expect(after(services.publish.command, '--topic')).toBe(after(services.topics.command, '--topic'));
    const [file] = services.publish.volumes[0].split(':').slice(1);
    expect(after(services.publish.command, '--deployment')).toBe(file);
    const graceMs = Number.parseInt(services.blinkstream.stop_grace_period ?? '', 10) * 1_000;
    expect(graceMs).toBeGreaterThanOrEqual(deployment.shutdown.deadlineMs + 10_000);
  });
});

describe('deploy/Containerfile', () => {
  const containerfile = read('deploy/Containerfile');
  const problemsOf = (given: string): string[] =>
    validateContainerfile(given).map(({ message }) => (typeof message === 'string' ? message : message.value));

  it('is what builders of images accept', () => {
    expect(problemsOf(containerfile)).toEqual([]);
  });

  it.each([
    ['an instruction that is none', 'STOPSIGNAL', 'STOPSIGN'],
    ['an option that is none', '--start-period', '--start-time'],
    ['a command that is cut off', 'WORKDIR /build', 'WORKDIR'],
  ])('is refused with %s', (_, from, to) => {
    expect(containerfile).toContain(from);
    expect(problemsOf(containerfile.replace(from, to))).not.toEqual([]);
  });

  it('copies only what a build may see and the package has', () => {
    const visible = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path);
    const copied = [...containerfile.matchAll(/^COPY (?:--from=build(?:-gpu)? )?(.+)$/gm)].flatMap(([, args]) =>
      args.split(' ').slice(0, -1),
    );
    const fromTree = copied
      .map((path) => path.replace('/build/', ''))
      .filter((path) => !/^[./]|^node_modules|^dist/.test(path));
    expect(fromTree.filter((path) => !visible.includes(path))).toEqual([]);
    expect(visible.filter((path) => !readdirSync(root).includes(path))).toEqual([]);
  });

  it('runs nothing as root, and asks for health where the service has it', () => {
    const stages = containerfile.split(/^FROM /m).slice(1);
    for (const stage of stages.filter((one) => one.includes('ENTRYPOINT'))) {
      expect(stage.indexOf('USER 10001:10001')).toBeGreaterThan(0);
      expect(stage.indexOf('USER 10001:10001')).toBeLessThan(stage.indexOf('ENTRYPOINT'));
    }
    expect(containerfile).toContain('http://127.0.0.1:9464/healthz');
  });
});
