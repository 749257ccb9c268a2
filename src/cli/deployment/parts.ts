import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import watch from '../../../topologies/watch.js';
import type { ClaimCheckStore } from '../../blobs/index.js';
import type { ChangeLog } from '../../log/index.js';
import type { Operation } from '../../operation/operation.js';
import { BlinkstreamError, messageOf, type Zone } from '../../records/index.js';
import { openSource } from '../../sources/open.js';
import type { PushHub } from '../../sources/push/hub.js';
import type { Source } from '../../sources/index.js';
import type { SourceFeed } from '../../sources/feed.js';
import { scheduled, scheduledFeed } from '../../sources/scheduled.js';
import { zoned, zonedFeed } from '../../sources/zoned.js';
import { pipelinesOf } from '../../topology/deployment/contradictions.js';
import type { LoadedDeployment } from '../../topology/deployment/parse.js';
import { scheduleOf } from '../../topology/deployment/schedule.js';
import type { KafkaSourceEntry, SingleSourceEntry, SourceEntry } from '../../topology/deployment/sources.js';
import type { TopologyEntry } from '../../topology/deployment/topologies.js';
import { feedService } from '../../topology/feeding.js';
import type { Service } from '../../topology/service.js';
import type { Topology } from '../../topology/topology.js';
import { feedOf, type DeploymentKafka } from './kafka.js';

/** What the sources of a deployment work with. */
export interface PartsContext {
  readonly service: Service;
  readonly log: ChangeLog;
  readonly hub: PushHub;
  readonly kafka: DeploymentKafka | undefined;
  readonly claims: ClaimCheckStore | undefined;
  /** Aborts when no more is to be read. */
  readonly drain: AbortSignal;
  readonly addInputLag: Operation['addInputLag'];
  /** Told of what ended a source that brings many. */
  readonly failed: (part: Part, error: BlinkstreamError) => void;
}

/** A source of a deployment as one topology reads it. */
export interface Part {
  /** `TOPOLOGY/SOURCE` */
  readonly key: string;
  readonly entry: SourceEntry;
  readonly topology: Topology<never>;
  readonly options: never;
}

/** A part that was begun. */
export interface BegunPart {
  readonly hasFailed: boolean;
  /** Drains it; it may be begun again from then on. */
  remove(): Promise<unknown>;
}

/** @throws BlinkstreamError `TOPOLOGY_NOT_LOADED` (user) */
export async function partsOf(loaded: LoadedDeployment): Promise<Part[]> {
  const { topologies, sources } = loaded.deployment;
  const built = await Promise.all(topologies.map((entry) => topologyOf(entry, loaded)));
  return pipelinesOf(loaded.deployment).map(({ topology, source }) => ({
    key: `${built[topology].name}/${sources[source].name}`,
    entry: sources[source],
    topology: built[topology],
    options: topologies[topology].options as never,
  }));
}

export function beginPart(part: Part, loaded: LoadedDeployment, context: PartsContext): BegunPart {
  const { entry } = part;
  return entry.kind === 'kafka' ? beginFeed(part, entry, loaded, context) : beginSource(part, entry, loaded, context);
}

function beginSource(
  { topology, options }: Part,
  entry: SingleSourceEntry,
  loaded: LoadedDeployment,
  { service, hub }: PartsContext,
): BegunPart {
  const supervised = service.add({ topology, options, source: entry.name, open: () => open(entry, loaded, hub) });
  return {
    get hasFailed() {
      return supervised.status.state === 'failed';
    },
    remove: () => supervised.remove(),
  };
}

/** A source that brings many runs until it is removed, or fails on its own: the others go on. */
function beginFeed(
  part: Part,
  entry: KafkaSourceEntry,
  { deployment }: LoadedDeployment,
  { service, log, kafka, claims, drain, addInputLag, failed }: PartsContext,
): BegunPart {
  if (kafka === undefined) throw new RangeError(`${part.key} needs Kafka, of which the deployment does not speak`);
  const { topology, options } = part;
  const removal = new AbortController();
  const feed = feedOf(entry, topology.name, kafka, { log, maxPixels: deployment.limits.maxPixels, blobs: claims });
  const forgetLag = addInputLag(async () =>
    (await feed.progress()).map(({ partition, lag }) => ({
      source: entry.name,
      partition: String(partition),
      messages: Number(lag),
    })),
  );
  let hasFailed = false;
  const fed = feedService(
    service,
    { feed: asAsked(feed, entry), topology, options },
    AbortSignal.any([drain, removal.signal]),
  )
    .catch((error: unknown) => {
      if (!(error instanceof BlinkstreamError)) throw error;
      hasFailed = true;
      failed(part, error);
    })
    .finally(forgetLag);
  service.during(fed);
  return {
    get hasFailed() {
      return hasFailed;
    },
    remove: () => {
      removal.abort(new Error(`${part.key} is removed`));
      return fed;
    },
  };
}

/** A feed with the schedule of its entry, and each camera with its zones. */
export function asAsked<L>(feed: SourceFeed<L>, entry: KafkaSourceEntry): SourceFeed<L> {
  const zones = new Map((entry.cameras ?? []).map(({ camera, zones }): [string, readonly Zone[]] => [camera, zones]));
  return scheduledFeed(zonedFeed(feed, zones), scheduleOf(entry));
}

/** @throws BlinkstreamError what the source's kind says of what it cannot read */
export const open = async (entry: SingleSourceEntry, loaded: LoadedDeployment, hub: PushHub): Promise<Source> =>
  scheduled(zoned(await openAlone(entry, loaded, hub), entry.zones ?? []), scheduleOf(entry));

async function openAlone(
  entry: SingleSourceEntry,
  { folder, deployment }: LoadedDeployment,
  hub: PushHub,
): Promise<Source> {
  const { name } = entry;
  if (entry.kind === 'push') return hub.source(name, { stallMs: entry.stallMs });
  if (entry.kind === 'camera') {
    const { url, transport, videoStream, stallMs, freezeMs, maxFps } = entry;
    const { maxPixels } = deployment.limits;
    const options = { name, transport, videoStream, stallMs, freezeMs, maxPixels };
    return openSource(url, { ...options, live: true, ...(maxFps !== undefined && { maxFps }) });
  }
  const input = /^https?:\/\//i.test(entry.input) ? entry.input : resolve(folder, entry.input);
  const common = { name, maxPixels: deployment.limits.maxPixels };
  if (entry.kind === 'video') return openSource(input, { ...common, timeoutMs: entry.timeoutMs });
  const { intervalMs, timePattern: pattern } = entry;
  return openSource(input, {
    ...common,
    ...(intervalMs !== undefined && { times: { intervalMs } }),
    ...(pattern !== undefined && { times: { pattern } }),
  });
}

async function topologyOf(entry: TopologyEntry, { file, folder }: LoadedDeployment): Promise<Topology<never>> {
  const found = entry.kind === 'watch' ? watch : await topologyIn(resolve(folder, entry.file), file);
  const { name = found.name } = entry;
  return { name, build: found.build };
}

async function topologyIn(path: string, file: string): Promise<Topology<{ readonly source: Source }>> {
  const failed = (why: string, cause?: unknown): BlinkstreamError =>
    new BlinkstreamError(`topology ${path}, which ${file} names, cannot be loaded: ${why}`, {
      code: 'TOPOLOGY_NOT_LOADED',
      class: 'user',
      stage: 'topology',
      hint: 'give an ECMAScript module whose default export is made by topology()',
      cause,
    });
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(pathToFileURL(path).href)) as typeof loaded;
  } catch (cause) {
    throw failed(messageOf(cause), cause);
  }
  const found = loaded.default as Partial<Topology<{ readonly source: Source }>> | undefined;
  if (typeof found?.name !== 'string' || typeof found.build !== 'function') throw failed('it exports no topology');
  return found as Topology<{ readonly source: Source }>;
}
