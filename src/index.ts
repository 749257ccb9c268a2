/**
 * The public interface of Blinkstream: topologies of RxJS operators, sources, workers, the log, outputs. Everything else
 * in this package is its own affair and may change.
 */
export {
  BlinkstreamError,
  changeKinds,
  conditionCauses,
  isTick,
  phases,
  verdicts,
  type ChangeEvent,
  type ChangeKind,
  type Checkpoint,
  type ConditionCause,
  type ErrorClass,
  type EvidencePicture,
  type Finding,
  type Frame,
  type FrameContent,
  type FrameEvidence,
  type FramePoint,
  type FrameRef,
  type FrameSequence,
  type Gap,
  type Lease,
  type Phase,
  type Picture,
  type Position,
  type Region,
  type Side,
  type SourceItem,
  type Tick,
  type Verification,
} from './records/index.js';
export { changeEventToJson } from './records/convert/change.js';

export { ByteBudget, leaseOf } from './sources/budget.js';
export type { ReadOptions, Source, SourceReport } from './sources/index.js';
export { liveSource, type LiveOptions } from './sources/live/live.js';
export { pushFrames, type PushFramesOptions } from './sources/push/client.js';
export type { Refusal } from './sources/push/camera.js';
export { PushHub, type PushHubOptions } from './sources/push/hub.js';
export type { FrameToPush, IdleToPush } from './sources/push/push-buffer.js';
export { frameService, type FrameService, type FrameServiceOptions } from './sources/push/service.js';
export { openSource, type OpenOptions } from './sources/open.js';
export { openScreenshots, type ScreenshotSource, type ScreenshotsOptions } from './sources/screenshots.js';

export { catalogue, type OperatorDescription, type OptionDescription } from './topology/catalogue.js';
export { frames } from './topology/operators/frames.js';
export { gate, type GatedFrame, type GatedItem, type GatedTick } from './topology/operators/gate.js';
export { group } from './topology/operators/group.js';
export { reason, type ReasonedSequence, type ReasonOperatorOptions } from './topology/operators/reason.js';
export { reorder, type ReorderOptions } from './topology/operators/reorder.js';
export { track, type Step } from './topology/operators/track.js';
export { window, type WindowOptions } from './topology/operators/window.js';
export type { GateOptions } from './sequences/gate/options.js';
export { activity, type ActivityOptions } from './sequences/windows/activity.js';
export { sliding, tumbling, type SlidingOptions, type TumblingOptions } from './sequences/windows/timed.js';
export { pair } from './sequences/windows/pair.js';
export { screenshotPairs } from './sequences/windows/screenshots.js';
export { whole, type WholeOptions } from './sequences/windows/whole.js';
export type { PipelineListener } from './topology/context.js';
export { run, type RunOptions, type RunResult } from './topology/run.js';
export { topology, type Topology } from './topology/topology.js';
export { default as diff, type DiffOptions } from '../topologies/diff.js';
export { default as watch, type WatchOptions } from '../topologies/watch.js';

export type { ClientSecurity, ServerSecurity } from './grpc/index.js';
export { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from './workers/pool.js';

export type { ChangeLog, Cursor, EventFilter, LogEntry, ReadFrom, Retention } from './log/index.js';
export { openLmdbLog, type LmdbLogOptions } from './log/lmdb.js';

export { subscribeEvents, type Subscribed, type SubscribeOptions } from './outputs/grpc/client.js';
export {
  startEventServer,
  type EventServer,
  type EventServerOptions,
  type ServedService,
} from './outputs/grpc/server.js';
export { jsonLinesOutput, type JsonLinesOptions } from './outputs/jsonl.js';
export { kafkaOutput, type KafkaOutputOptions } from './outputs/kafka.js';
export { mqttOutput, type HomeAssistant, type MqttOutputOptions } from './outputs/mqtt/mqtt.js';
export { webhookOutput, type WebhookOutputOptions } from './outputs/webhook/webhook.js';
export type { OutputFilter } from './outputs/output-filter.js';
export type { KafkaOptions } from './kafka/index.js';
export { writeReport, type ReportInput, type ReportSource, type WrittenReport } from './outputs/report/report.js';
