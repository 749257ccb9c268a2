import type { WorkerLoad } from '../workers/load.js';
import type { InputLag } from './input-lag.js';
import type { PipelineTally } from './tally.js';

/** What samples are made of, at the moment of reading. */
export interface Observed {
  readonly pipelines: readonly PipelineTally[];
  readonly workers: WorkerLoad;
  readonly subscribers: number;
  /** Of each subscriber of which it is known: events that it has not been sent. */
  readonly subscribersBehind: readonly number[];
  readonly stalledSubscribers: number;
  readonly lagFailures: number;
  readonly lags: readonly InputLag[];
}

/** Values of the labels, in their order, and the value. */
export type Sample = readonly [labels: readonly string[], value: number];

export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  readonly needsLags?: true;
  samples(observed: Observed): Iterable<Sample>;
}

const pipelineLabels = ['topology', 'source'] as const;
const keyOf = ({ topology, source }: PipelineTally): [string, string] => [topology, source];

/** One sample a pipeline; none where `value` is undefined. */
const each = (
  name: string,
  type: MetricDefinition['type'],
  help: string,
  value: (pipeline: PipelineTally) => number | undefined,
): MetricDefinition => ({
  name,
  type,
  help,
  labels: pipelineLabels,
  *samples({ pipelines }) {
    for (const pipeline of pipelines) {
      const now = value(pipeline);
      if (now !== undefined) yield [keyOf(pipeline), now];
    }
  },
});

/** One sample a pipeline and value of a further label. */
const eachBy = (
  name: string,
  type: MetricDefinition['type'],
  help: string,
  label: string,
  values: (pipeline: PipelineTally) => Iterable<readonly [label: string, value: number]>,
): MetricDefinition => ({
  name,
  type,
  help,
  labels: [...pipelineLabels, label],
  *samples({ pipelines }) {
    for (const pipeline of pipelines) {
      for (const [of, value] of values(pipeline)) yield [[...keyOf(pipeline), of], value];
    }
  },
});

const one = (
  name: string,
  type: MetricDefinition['type'],
  help: string,
  value: (observed: Observed) => number,
): MetricDefinition => ({ name, type, help, labels: [], samples: (observed) => [[[], value(observed)]] });

const states = ['starting', 'running', 'waiting', 'ended', 'failed'] as const;
const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1_000);

/** Every metric of Blinkstream's own. Counters count since the process started, and begin anew with a pipeline. */
export const metricDefinitions: readonly MetricDefinition[] = [
  eachBy(
    'blinkstream_pipeline_state',
    'gauge',
    '1 for the state that the pipeline is in, 0 for the others; waiting: for another attempt, ended: its source is at its end, failed: for good',
    'state',
    ({ state }) => states.map((name) => [name, name === state ? 1 : 0]),
  ),
  each(
    'blinkstream_pipeline_failures_total',
    'counter',
    'attempts of the pipeline that ended in an error',
    (pipeline) => pipeline.failures,
  ),
  each('blinkstream_frames_read_total', 'counter', 'frames that the source gave', (pipeline) => pipeline.framesRead),
  each(
    'blinkstream_windowed_frames_total',
    'counter',
    'frames that a window took: what they show is told or found to be nothing',
    (pipeline) => pipeline.windowedFrames,
  ),
  each(
    'blinkstream_late_frames_total',
    'counter',
    'frames that came later than allowed and were diverted',
    (pipeline) => pipeline.lateFrames,
  ),
  each(
    'blinkstream_unreadable_frames_total',
    'counter',
    'frames whose pictures could not be decoded; they were told and passed over',
    (pipeline) => pipeline.unreadableFrames,
  ),
  each(
    'blinkstream_frames_read_again_total',
    'counter',
    'frames that were done with before a restart, read once more on the way to others',
    (pipeline) => pipeline.framesReadAgain,
  ),
  each(
    'blinkstream_abandoned_frames_total',
    'counter',
    'frames on their way to a window when an attempt broke off or was stopped; the next attempt reads them again, except from a camera, where the loss is told as SIGNAL_GAP',
    (pipeline) => pipeline.abandonedFrames,
  ),
  each(
    'blinkstream_frames_in_transit',
    'gauge',
    'frames that were read and have come to no window yet',
    (pipeline) => pipeline.inHand.frames,
  ),
  each(
    'blinkstream_dropped_frames_total',
    'counter',
    'frames read less those windowed, late, unreadable, read again, abandoned and in transit: always 0, unless an operator of your own topology leaves frames out',
    (pipeline) => pipeline.droppedFrames,
  ),
  each(
    'blinkstream_thinned_frames_total',
    'counter',
    'frames whose pixels a window gave up for want of memory; what was measured of them stayed',
    (pipeline) => pipeline.thinnedFrames,
  ),
  each(
    'blinkstream_last_frame_event_time_seconds',
    'gauge',
    'event time of the last frame: since the epoch where the source knows the wall clock, else since its own beginning',
    (pipeline) => seconds(pipeline.lastFrame?.eventTimeMs),
  ),
  each('blinkstream_last_frame_age_seconds', 'gauge', 'time since this process read the last frame', (pipeline) =>
    seconds(pipeline.lastFrameAgeMs),
  ),
  each(
    'blinkstream_open_windows',
    'gauge',
    'windows that have begun and not closed; of activity, 1 while something moves',
    (pipeline) => pipeline.inHand.openWindows,
  ),
  eachBy(
    'blinkstream_sequences_total',
    'counter',
    'sequences that windows closed, by why they did',
    'trigger',
    (pipeline) => pipeline.sequences,
  ),
  each(
    'blinkstream_waiting_sequences',
    'gauge',
    'sequences that wait in the pipeline for their turn at the workers',
    (pipeline) => pipeline.inHand.sequences,
  ),
  each(
    'blinkstream_dead_letters_total',
    'counter',
    'sequences that no worker could reason over; they were told with their coordinates and passed over',
    (pipeline) => pipeline.deadLetters,
  ),
  each(
    'blinkstream_contradicted_claims_total',
    'counter',
    'claims that the pixels contradicted; they are kept and not published',
    (pipeline) => pipeline.contradictedClaims,
  ),
  each(
    'blinkstream_changes_held_back_total',
    'counter',
    'changes outside of the schedule of their source, which are never told',
    (pipeline) => pipeline.heldBack,
  ),
  eachBy(
    'blinkstream_events_committed_total',
    'counter',
    'events made durable, by kind; those that the log held already, after a restart, included',
    'kind',
    (pipeline) => pipeline.events,
  ),
  each('blinkstream_commits_total', 'counter', 'steps made durable', (pipeline) => pipeline.commits),
  each(
    'blinkstream_commit_age_seconds',
    'gauge',
    'time since the last step was made durable; before the first, since the pipeline began',
    (pipeline) => seconds(pipeline.commitAgeMs),
  ),
  each('blinkstream_budget_used_bytes', 'gauge', 'bytes of frames in flight', (pipeline) => pipeline.inHand.usedBytes),
  each(
    'blinkstream_budget_limit_bytes',
    'gauge',
    "bytes of frames that may be in flight, the pipeline's share of limits.budgetMiB; 0 while it does not run",
    (pipeline) => pipeline.inHand.limitBytes,
  ),
  one(
    'blinkstream_worker_queue_sequences',
    'gauge',
    'sequences that wait for a place at a worker, all pipelines together',
    ({ workers }) => workers.waiting,
  ),
  one(
    'blinkstream_worker_in_flight_sequences',
    'gauge',
    'sequences that workers have',
    ({ workers }) => workers.inFlight,
  ),
  one(
    'blinkstream_worker_capacity_sequences',
    'gauge',
    'sequences that the workers that are not down take at a time, at least 1',
    ({ workers }) => workers.capacity,
  ),
  {
    name: 'blinkstream_workers',
    type: 'gauge',
    help: 'workers by whether they serve',
    labels: ['state'],
    samples: ({ workers }) => [
      [['up'], workers.up],
      [['down'], workers.down],
    ],
  },
  one(
    'blinkstream_worker_retries_total',
    'counter',
    'sequences that were given to a worker a second time',
    ({ workers }) => workers.retries,
  ),
  one(
    'blinkstream_workers_replaced_total',
    'counter',
    'workers that were lost and replaced',
    ({ workers }) => workers.replaced,
  ),
  one('blinkstream_subscribers', 'gauge', 'subscriptions that are open', ({ subscribers }) => subscribers),
  one(
    'blinkstream_subscriber_lag_max_events',
    'gauge',
    'events that the subscriber furthest behind has not been sent, those that its filter hides included',
    ({ subscribersBehind }) => Math.max(0, ...subscribersBehind),
  ),
  one(
    'blinkstream_subscribers_stalled_total',
    'counter',
    'subscribers that were let go because they took nothing',
    ({ stalledSubscribers }) => stalledSubscribers,
  ),
  {
    name: 'blinkstream_input_lag_messages',
    type: 'gauge',
    help: 'messages of an input that this process has not committed as read, by partition',
    labels: ['source', 'partition'],
    needsLags: true,
    samples: ({ lags }) => lags.map(({ source, partition, messages }): Sample => [[source, partition], messages]),
  },
  one(
    'blinkstream_input_lag_failures_total',
    'counter',
    'times that the lag of an input could not be had; its lag is absent then',
    ({ lagFailures }) => lagFailures,
  ),
];
