import type { Device } from '../evidence/devices.js';
import type { DetectedObject, FrameContent, TextLine } from '../records/index.js';
import type { ReasonSequence } from '../reasoning/index.js';

/** What `Measure` can find in a single picture. */
export const measurements = ['objects', 'text', 'embedding'] as const;
export type Measurement = (typeof measurements)[number];

/** Evidence of a single picture; what was not asked for is absent. */
export interface PictureEvidence {
  readonly objects?: readonly DetectedObject[];
  readonly lines?: readonly TextLine[];
  /** Look of the whole picture, unit length. */
  readonly embedding?: readonly number[];
}

export type MeasurePicture = (
  content: FrameContent,
  options: { readonly measurements: readonly Measurement[]; readonly signal: AbortSignal },
) => Promise<PictureEvidence>;

/** What runs inside a worker, apart from the process and the protocol around it. */
export interface WorkerEngine {
  readonly reason: ReasonSequence;
  readonly measure: MeasurePicture;
  /** Names that `reason` knows. */
  readonly reasoners: readonly string[];
  /** Models that it loads, with their pinned hashes. */
  readonly models: readonly { readonly name: string; readonly sha256: string }[];
}

/** What an engine is built with; plain JSON, because it crosses to a child process. */
export interface EngineOptions {
  /** Folder of the project's models; default: `models/` of this package. */
  readonly modelsDir?: string;
  /** What models run on; default `cpu`. */
  readonly device?: Device;
}

/** Builds the engine of one worker. A worker module exports one under the name `createEngine`. */
export type CreateEngine = (options: EngineOptions) => Promise<WorkerEngine>;
