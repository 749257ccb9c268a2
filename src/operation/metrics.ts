import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Subscription } from '../outputs/grpc/subscription.js';
import type { WorkerLoad } from '../workers/load.js';
import { inputLags, type InputLagProvider } from './input-lag.js';
import { type MetricDefinition, metricDefinitions, type Sample } from './metric-definitions.js';
import type { ServiceTally } from './tally.js';

/** What the metrics of a service are read from. */
export interface MetricSources {
  readonly tally: ServiceTally;
  readonly workers: () => WorkerLoad;
  /** Absent where events are not served. */
  readonly subscriptions?: ReadonlySet<Subscription>;
}

/** The metrics of a service, as Prometheus reads them. */
export interface ServiceMetrics {
  readonly contentType: string;
  /** All of them at this moment. @throws nothing: an input that does not tell its lag is counted instead */
  text(): Promise<string>;
  /** Asks `provider` for the lag of an input whenever metrics are read; the function returned ends that. */
  addInputLag(provider: InputLagProvider): () => void;
}

/**
 * Nothing is kept here: each value is asked for when somebody reads the metrics, and a pipeline that is gone is gone
 * from them too. Labels are names of topologies and sources, and words of a fixed list: their number is bounded.
 */
export function serviceMetrics({ tally, workers, subscriptions }: MetricSources): ServiceMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const providers = new Set<InputLagProvider>();
  let lagFailures = 0;
  const behind = (): number[] => [...(subscriptions ?? [])].flatMap((one) => one.behind() ?? []);
  for (const definition of metricDefinitions) {
    register(registry, definition, async () =>
      definition.samples({
        pipelines: tally.pipelines,
        workers: workers(),
        subscribers: subscriptions?.size ?? 0,
        subscribersBehind: behind(),
        stalledSubscribers: tally.stalledSubscribers,
        lagFailures,
        lags: definition.needsLags === true ? await inputLags(providers, () => (lagFailures += 1)) : [],
      }),
    );
  }
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    addInputLag: (provider) => {
      providers.add(provider);
      return () => void providers.delete(provider);
    },
  };
}

function register(registry: Registry, definition: MetricDefinition, samples: () => Promise<Iterable<Sample>>): void {
  const { name, help, labels } = definition;
  const common = { name, help, labelNames: [...labels], registers: [registry] };
  const labelled = (values: readonly string[]): Record<string, string> =>
    Object.fromEntries(labels.map((label, i) => [label, values[i]]));
  if (definition.type === 'counter') {
    new Counter({
      ...common,
      async collect() {
        const now = await samples();
        this.reset();
        for (const [values, value] of now) this.inc(labelled(values), value);
      },
    });
    return;
  }
  new Gauge({
    ...common,
    async collect() {
      const now = await samples();
      this.reset();
      for (const [values, value] of now) this.set(labelled(values), value);
    },
  });
}
