import type { Committer } from '../log/index.js';
import type { Fed, SourceFeed } from '../sources/feed.js';
import type { Source } from '../sources/index.js';
import type { Pipeline } from './pipeline.js';
import type { Service } from './service.js';
import type { Topology } from './topology.js';

export interface FeedingOptions<Options extends { readonly source: Source }> {
  readonly feed: SourceFeed<Committer>;
  /** Each source of the feed runs through it. */
  readonly topology: Topology<Options>;
  readonly options: Omit<Options, 'source'>;
}

/**
 * Runs each source of a feed as a pipeline of its own in the service, until `signal` aborts and what is under way has
 * been handed over. What the service has no room for, and what fails, goes back to the feed, which brings it again.
 * @throws what ends the feed
 */
export async function feedService<Options extends { readonly source: Source }>(
  service: Service,
  { feed, topology, options }: FeedingOptions<Options>,
  signal: AbortSignal,
): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const fed of feed.sources(signal)) {
    const run = runFed(service, fed, topology, options);
    running.add(run);
    void run.finally(() => running.delete(run));
  }
  await Promise.all(running);
}

/** Never rejects. */
async function runFed<Options extends { readonly source: Source }>(
  service: Service,
  fed: Fed<Committer>,
  topology: Topology<Options>,
  options: Omit<Options, 'source'>,
): Promise<void> {
  const pipeline: Pipeline<Options> = {
    topology,
    options,
    source: fed.source.name,
    open: () => Promise.resolve(fed.source),
    committer: fed.committer,
    lost: fed.lost,
    // The feed brings it again, from where it is to be read then.
    retries: false,
  };
  try {
    const { error } = await service.add(pipeline as unknown as Pipeline<never>).ended;
    fed.ended(error);
  } catch (error) {
    fed.ended(error);
  }
}
