import { BlinkstreamError } from '../../records/index.js';
import { nearest } from '../../records/nearest.js';
import type { LoadedDeployment } from '../../topology/deployment/parse.js';
import type { KafkaSourceEntry, SourceEntry } from '../../topology/deployment/sources.js';
import { usageError } from '../failure.js';
import type { ReplayOptions } from '../replay-options.js';

/**
 * The source that is looked at again.
 * @throws BlinkstreamError (usage) where there is none, or it is not said which; `REPLAY_SOURCE` (user) where it cannot be
 */
export function sourceOf(
  { file, deployment: { sources } }: LoadedDeployment,
  wanted: string | undefined,
): KafkaSourceEntry {
  const named = sources.find(({ name }) => name === wanted);
  if (named?.kind === 'kafka') return named;
  if (named !== undefined) throw notATopic(named);
  if (wanted !== undefined) {
    const names = sources.map(({ name }) => name);
    const guess = nearest(wanted, names);
    throw usageError(
      `${file} has no source ${wanted}`,
      guess === undefined ? `it has ${names.join(', ')}` : `did you mean ${guess}?`,
    );
  }
  const inKafka = sources.filter((entry) => entry.kind === 'kafka');
  const [only, ...others] = inKafka;
  if (only === undefined) throw notATopic(sources[0]);
  if (others.length === 0) return only;
  throw usageError(
    `${file} reads ${inKafka.length} topics`,
    `say which by --source: ${inKafka.map(({ name }) => name).join(', ')}`,
  );
}

function notATopic({ name, kind }: Pick<SourceEntry, 'name' | 'kind'>): BlinkstreamError {
  const isRecorded = kind === 'video' || kind === 'images';
  return new BlinkstreamError(
    isRecorded
      ? `source ${name} is no topic: ${kind === 'video' ? 'a video is' : 'images are'} looked at again as a whole`
      : `source ${name} is a camera that keeps nothing: it cannot be looked at again`,
    {
      code: 'REPLAY_SOURCE',
      class: 'user',
      stage: 'cli',
      hint: isRecorded
        ? 'blinkstream watch INPUT --out DIR does so'
        : 'let its frames go through a Kafka topic, which keeps them for a while',
    },
  );
}

/**
 * The deployment with the reasoner that was asked for.
 * @throws BlinkstreamError (usage) where none of the topologies that read the source takes one, or it takes no question
 */
export function withReasoner(
  loaded: LoadedDeployment,
  source: string,
  { reasoner, question }: Pick<ReplayOptions, 'reasoner' | 'question'>,
): LoadedDeployment {
  if (question !== undefined) {
    throw usageError(
      `--question is for reasoners that take one, and ${reasoner ?? 'measured'} takes none`,
      'leave it out: measured says what it measured, whatever the question',
    );
  }
  if (reasoner === undefined) return loaded;
  const { deployment } = loaded;
  const isMeant = ({ kind, sources }: (typeof deployment.topologies)[number]): boolean =>
    kind === 'watch' && (sources === undefined || sources.includes(source));
  if (!deployment.topologies.some(isMeant)) {
    throw usageError(
      `--reasoner is for topologies of kind watch, and none of them reads ${source}`,
      'give a topology of your own its options in the file',
    );
  }
  const topologies = deployment.topologies.map((entry) =>
    entry.kind === 'watch' && isMeant(entry) ? { ...entry, options: { ...entry.options, reasoner } } : entry,
  );
  return { ...loaded, deployment: { ...deployment, topologies } };
}
