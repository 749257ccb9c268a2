import { BlinkstreamError, type FrameRef, messageOf } from '../records/index.js';
import type { PipelineStatus, ServiceListener } from '../topology/pipeline.js';
import type { WorkerListener } from '../workers/load.js';
import type { ServiceTally } from './tally.js';

/** Something that whoever looks after a service should know. */
export interface Note {
  readonly level: 'info' | 'warn' | 'error';
  /** Stable, upper case: `PIPELINE_FAILED`. Machines read it; people read the message. */
  readonly code: string;
  readonly topology?: string;
  readonly source?: string;
  /** Which of `outputs` it is about. */
  readonly output?: OutputName;
  /** One line, for people; without secrets, because errors have none. */
  readonly message: string;
  /** Code of the error that led to it. */
  readonly error?: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** An output that sends events somewhere, as it stands in the deployment file. */
export type OutputName = 'kafka' | 'webhook' | 'mqtt';

export type TellNote = (note: Note) => void;

/** A note as one line of JSON. */
export const noteJson = (
  { level, code, topology, source, output, message, error, hint }: Note,
  timeMs: number,
): string =>
  JSON.stringify({ time: new Date(timeMs).toISOString(), level, code, topology, source, output, message, error, hint });

type PipelineKey = Pick<PipelineStatus, 'topology' | 'source'>;

const stateLevels: Readonly<Record<PipelineStatus['state'], Note['level']>> = {
  starting: 'info',
  running: 'info',
  waiting: 'warn',
  ended: 'info',
  suspended: 'info',
  failed: 'error',
};

const stateNote = ({ topology, source, state, error, frames, events }: PipelineStatus): Note => ({
  level: state === 'ended' && error !== undefined ? 'warn' : stateLevels[state],
  code: `PIPELINE_${state.toUpperCase()}`,
  topology,
  source,
  message: `${topology}/${source} ${state}, ${frames} frames, ${events} events${error === undefined ? '' : `: ${error.message}`}`,
  ...(error && { error: error.code, ...(error.hint !== undefined && { hint: error.hint }) }),
});

const lateNote = ({ topology, source }: PipelineKey, ref: FrameRef): Note => ({
  level: 'warn',
  code: 'FRAME_LATE',
  topology,
  source,
  message: `frame ${ref.index} of ${ref.source} came too late for its window and was left out`,
});

const unreadableNote = ({ topology, source }: PipelineKey, ref: FrameRef, error: BlinkstreamError): Note => ({
  level: 'warn',
  code: 'FRAME_UNREADABLE',
  topology,
  source,
  message: unreadableText(ref, error),
  error: error.code,
  ...(error.hint !== undefined && { hint: error.hint }),
});

/** Which frame was passed over, and why. */
export const unreadableText = (ref: FrameRef, { message }: BlinkstreamError): string =>
  `frame ${ref.index} of ${ref.source} (${ref.position.offset}) was left out: ${message}`;

const deadLetterNote = ({ topology, source }: PipelineKey, error: BlinkstreamError): Note => ({
  level: 'error',
  code: 'DEAD_LETTER',
  topology,
  source,
  message: `not reasoned over: ${error.message}`,
  error: error.code,
  ...(error.hint !== undefined && { hint: error.hint }),
});

export const eventsServed = (address: string): Note => ({
  level: 'info',
  code: 'EVENTS_SERVED',
  message: `change events are served on ${address}`,
});

export const operationServed = (address: string): Note => ({
  level: 'info',
  code: 'OPERATION_SERVED',
  message: `metrics and health are served on ${address}`,
});

export const subscriberStalled: Note = {
  level: 'warn',
  code: 'SUBSCRIBER_STALLED',
  message: 'a subscriber took nothing and was let go',
};

export const draining: Note = {
  level: 'info',
  code: 'DRAINING',
  message: 'no more is read; what was read is finished and committed',
};

/** The service was asked to end, and not all that was read could be finished. */
export const deadlinePassed = (deadlineMs: number): Note => ({
  level: 'warn',
  code: 'DEADLINE_PASSED',
  message: `not all was finished within ${deadlineMs / 1_000} s; the next start does it`,
});

/** Why the service ends before its time. */
export const fatalNote = (thrown: unknown): Note => {
  const { code, hint } = thrown instanceof BlinkstreamError ? thrown : { code: 'INTERNAL', hint: undefined };
  return { level: 'error', code, message: messageOf(thrown), ...(hint !== undefined && { hint }) };
};

/** What pipelines tell, added up by `tally` and told. */
export const serviceListener = (tally: ServiceTally, tell: TellNote): ServiceListener => ({
  pipeline: (key) => {
    const counted = tally.listener.pipeline(key);
    return {
      ...counted,
      late: (ref, latestMs) => {
        counted.late?.(ref, latestMs);
        tell(lateNote(key, ref));
      },
      unreadable: (ref, error) => {
        counted.unreadable?.(ref, error);
        tell(unreadableNote(key, ref, error));
      },
      deadLetter: (error) => {
        counted.deadLetter?.(error);
        tell(deadLetterNote(key, error));
      },
    };
  },
  state: (status) => {
    tally.listener.state(status);
    tell(stateNote(status));
  },
});

/** A worker cannot be had for now. */
export const workerDown = ({ message, code, hint }: BlinkstreamError): Note => ({
  level: 'error',
  code: 'WORKER_UNAVAILABLE',
  message,
  error: code,
  ...(hint !== undefined && { hint }),
});

/** Certificates were renewed and cannot be used; the ones before stay. */
export const certificateUnusable = ({ message, code, hint }: BlinkstreamError): Note => ({
  level: 'error',
  code: 'CERTIFICATE_UNUSABLE',
  message,
  error: code,
  ...(hint !== undefined && { hint }),
});

/** Something with Kafka failed, and is tried again. */
export const kafkaNote = ({ message, code, hint }: BlinkstreamError): Note => ({
  level: 'warn',
  code: 'KAFKA_TROUBLE',
  message,
  error: code,
  ...(hint !== undefined && { hint }),
});

/** A source that brings many ended by an error; the others go on. */
export const feedFailed = (source: string, { message, code, hint }: BlinkstreamError): Note => ({
  level: 'error',
  code: 'FEED_FAILED',
  source,
  message: `${source} failed: ${message}`,
  error: code,
  ...(hint !== undefined && { hint }),
});

/** Of frames that clients push. */
export const pushNote = (message: string): Note => ({ level: 'warn', code: 'PUSH_REFUSED', message });

/** What came of reading the deployment file again. */
export const reloadNote = (message: string): Note => ({ level: 'info', code: 'DEPLOYMENT_RELOADED', message });

/** Old pictures stay in the blob store for now. */
export const sweepFailed = ({ message, code }: BlinkstreamError): Note => ({
  level: 'warn',
  code: 'BLOBS_NOT_SWEPT',
  message: `old pictures stay for now: ${message}`,
  error: code,
});

/** What retention does not keep stays in the log for now. */
export const pruneFailed = ({ message, code }: BlinkstreamError): Note => ({
  level: 'warn',
  code: 'LOG_NOT_PRUNED',
  message: `old events stay for now: ${message}`,
  error: code,
});

const receivers: Readonly<Record<OutputName, string>> = { kafka: 'Kafka', webhook: 'the webhook', mqtt: 'MQTT' };

/** Events wait for an output to take them. */
export const eventsWait = (output: OutputName, { message, code, hint }: BlinkstreamError, retryInMs: number): Note => ({
  level: 'warn',
  code: 'EVENTS_WAIT',
  output,
  message: `events wait for ${receivers[output]}: ${message}; again in ${Math.ceil(retryInMs / 1_000)} s`,
  error: code,
  ...(hint !== undefined && { hint }),
});

/** What becomes of the workers, told. */
export const workerListener = (tell: TellNote): WorkerListener => ({
  gone: (worker, why) =>
    tell({ level: 'warn', code: 'WORKER_GONE', message: `${worker} ${why}; another takes its place` }),
  retry: ({ source, first, last }, why) =>
    tell({
      level: 'warn',
      code: 'SEQUENCE_RETRIED',
      source,
      message: `frames ${first.frame} to ${last.frame} of ${source} go to a worker once more: ${why}`,
    }),
});
