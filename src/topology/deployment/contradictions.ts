import { requireSecureCalling, requireSecureListening } from '../../grpc/address.js';
import { tokenProblem } from '../../grpc/bearer.js';
import { parseAddress } from '../../outputs/grpc/address.js';
import { httpAddress } from '../../outputs/http-address.js';
import { workerAddress } from '../../workers/address.js';
import { notWritten, tried, type Contradiction } from './contradiction.js';
import { ofSchedules } from './schedule.js';
import type { Deployment } from './schema.js';
import { ofSenders } from './sender-contradictions.js';
import type { ValuePath } from './text.js';
import { notAmong } from './words.js';

/**
 * What each field for itself allows and the whole does not; nothing outside of the file is looked at. `refers` tells
 * which texts stand for something outside of it.
 */
export const contradictions = (
  deployment: Deployment,
  refers: (path: ValuePath) => boolean = () => false,
): Contradiction[] => [
  ...doubled(deployment.sources.map(({ name }) => name)).map(({ name, at }) => ({
    path: ['sources', at, 'name'],
    message: `two sources are named ${name}: events could not tell them apart`,
  })),
  ...ofTopologies(deployment),
  ...ofImages(deployment),
  ...ofSchedules(deployment),
  ...ofPushed(deployment),
  ...ofAddresses(deployment),
  ...ofCredentials(deployment, refers),
  ...ofKafka(deployment),
  ...ofSenders(deployment, refers),
];

/** The pipelines of a deployment: each source once for each topology that reads it. */
export const pipelinesOf = ({
  topologies,
  sources,
}: Pick<Deployment, 'topologies' | 'sources'>): { topology: number; source: number }[] =>
  topologies.flatMap((entry, topology) =>
    sources.flatMap(({ name }, source) =>
      entry.sources === undefined || entry.sources.includes(name) ? [{ topology, source }] : [],
    ),
  );

function ofTopologies(deployment: Deployment): Contradiction[] {
  const { topologies, sources, limits } = deployment;
  const names = sources.map(({ name }) => name);
  const found: Contradiction[] = topologies.flatMap(({ sources: read = [] }, i) =>
    read.flatMap((name, k) =>
      names.includes(name)
        ? []
        : [{ path: ['topologies', i, 'sources', k], message: notAmong(name, 'no source of this file', names) }],
    ),
  );
  const pipelines = pipelinesOf(deployment);
  const labels = pipelines.map(({ topology, source }) => {
    const entry = topologies[topology];
    return `${entry.name ?? (entry.kind === 'module' ? entry.file : entry.kind)}/${names[source]}`;
  });
  for (const { at } of doubled(labels)) {
    const { topology, source } = pipelines[at];
    found.push({
      path: ['topologies', topology],
      message: `two topologies of one name read ${names[source]}: give one of them another name`,
    });
  }
  const read = new Set(pipelines.map(({ source }) => source));
  for (const [i, name] of names.entries()) {
    if (!read.has(i)) found.push({ path: ['sources', i], message: `no topology reads ${name}` });
  }
  if (pipelines.length > limits.maxSources) {
    found.push({
      path: ['limits', 'maxSources'],
      message: `${pipelines.length} sources are to be read, and limits.maxSources is ${limits.maxSources}`,
    });
  }
  return found;
}

const ofImages = ({ sources }: Deployment): Contradiction[] =>
  sources.flatMap((source, i) =>
    source.kind === 'images' && source.intervalMs !== undefined && source.timePattern !== undefined
      ? [{ path: ['sources', i, 'timePattern'], message: 'intervalMs and timePattern are two ways to tell a time' }]
      : [],
  );

const ofPushed = (deployment: Deployment): Contradiction[] =>
  deployment.sources.flatMap(({ kind, name }, i): Contradiction[] => {
    if (kind !== 'push') return [];
    const readers = pipelinesOf(deployment).filter(({ source }) => source === i);
    return [
      ...(deployment.outputs.grpc === undefined
        ? [{ path: ['sources', i, 'kind'], message: `nobody can push ${name}: outputs.grpc says where to` }]
        : []),
      // What its client may forget is for one checkpoint to say.
      ...(readers.length > 1
        ? [
            {
              path: ['sources', i],
              message: `${readers.length} topologies read ${name}, which only one may: push it once for each`,
            },
          ]
        : []),
    ];
  });

function ofKafka({ sources, log, outputs, kafka }: Deployment): Contradiction[] {
  if (kafka !== undefined) {
    const twice = 'the log writes events into its topic PREFIX.events itself: each instance would write them once more';
    return log.kafka && outputs.kafka ? [{ path: ['outputs', 'kafka'], message: twice }] : [];
  }
  const missing = 'nothing says where Kafka is: add kafka: { brokers: [HOST:PORT] }';
  return [
    ...sources.flatMap(({ kind }, i): Contradiction[] =>
      kind === 'kafka' ? [{ path: ['sources', i, 'topic'], message: missing }] : [],
    ),
    ...(log.kafka === undefined ? [] : [{ path: ['log', 'kafka'], message: missing }]),
    ...(outputs.kafka === undefined ? [] : [{ path: ['outputs', 'kafka'], message: missing }]),
  ];
}

function ofAddresses({ workers, outputs: { grpc }, operation }: Deployment): Contradiction[] {
  return [
    ...workers.addresses.flatMap((address, i) =>
      tried(['workers', 'addresses', i], () =>
        requireSecureCalling(workerAddress(address), workers, { stage: 'worker', credential: true }),
      ),
    ),
    ...doubled(workers.addresses).map(({ name, at }) => ({
      path: ['workers', 'addresses', at],
      message: `${name} is named twice`,
    })),
    ...(grpc
      ? tried(['outputs', 'grpc', 'listen'], () => {
          parseAddress(grpc.listen);
          requireSecureListening(grpc.listen, grpc, 'output');
        })
      : []),
    ...tried(['operation', 'listen'], () => operation.listen && httpAddress(operation.listen, operation)),
  ];
}

function ofCredentials({ workers, outputs, kafka }: Deployment, refers: (path: ValuePath) => boolean): Contradiction[] {
  const ofToken = (path: ValuePath, token: string | undefined): Contradiction[] => {
    if (token === undefined) return [];
    if (!refers(path)) {
      // Not even how it is wrong: whoever may read the file could use it.
      return [{ path, message: notWritten('token') }];
    }
    const problem = tokenProblem(token);
    return problem === undefined ? [] : [{ path, message: `the token ${problem}` }];
  };
  const { cert, key } = workers.tls ?? {};
  const password: ValuePath = ['kafka', 'sasl', 'password'];
  return [
    ...(kafka?.sasl === undefined || refers(password) ? [] : [{ path: password, message: notWritten('password') }]),
    ...ofToken(['workers', 'token'], workers.token),
    ...ofToken(['outputs', 'grpc', 'token'], outputs.grpc?.token),
    ...((cert === undefined) === (key === undefined)
      ? []
      : [{ path: ['workers', 'tls'], message: 'of cert and key only one is there' }]),
  ];
}

/** Those that come again, at the place where they do. */
const doubled = (names: readonly string[]): { name: string; at: number }[] =>
  names.flatMap((name, at) => (names.indexOf(name) < at ? [{ name, at }] : []));
