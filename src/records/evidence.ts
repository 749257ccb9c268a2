import type { FramePoint, FrameRef } from './frame.js';
import type { Region } from './region.js';

/** Why pixels changed although nothing in the scene did. */
export const conditionCauses = [
  'LIGHTING',
  'CAMERA_MOVED',
  'OVERLAY',
  'NOISE',
  'WEATHER',
  'SHADOW',
  'COLOR_MODE',
  'OBSCURED',
  'SIGNAL_GAP',
  'RENDERING',
] as const;
export type ConditionCause = (typeof conditionCauses)[number];

/** A nuisance that a frame shows, with what was measured of it. */
export interface Nuisance {
  readonly cause: ConditionCause;
  /** The measured strength in `unit`: a gain, pixels of shift, grey levels of noise. */
  readonly strength: number;
  readonly unit: string;
  /** Absent where the whole picture is concerned. */
  readonly region?: Region;
}

/** A thing that moves, as one frame shows it. `id` is unique in its source and survives windows. */
export interface TrackPoint {
  readonly id: number;
  readonly region: Region;
  /** When and where it was first seen. */
  readonly born: FramePoint;
  readonly origin: Region;
  /** The box around everything that it has covered since. */
  readonly sweep: Region;
}

/** A part of the scene that has come to rest in another look. */
export interface SettledRegion {
  readonly region: Region;
  /** First frame that no longer looked as before. */
  readonly leftAt: FramePoint;
  /** First frame since which it has looked as it does now. */
  readonly restedAt: FramePoint;
  /** It may be a light or a shadow: this tells when it came to rest, and not that anything did. */
  readonly mayBeLight?: true;
}

/** What the gate measured of one frame. Plain and small: it outlives the frame's pixels. */
export interface FrameEvidence {
  /**
   * `active`: something moves. `still`: nothing does, whatever nuisance there is. `unseen`: the picture does not show the
   * scene, since the lens is covered or out of focus, or there is no light.
   */
  readonly motion: 'active' | 'still' | 'unseen';
  readonly nuisances: readonly Nuisance[];
  readonly tracks: readonly TrackPoint[];
  readonly settled: readonly SettledRegion[];
  /** Luma of this frame over luma of the baseline, fitted: `luma ≈ gain * baseline + offset`, offset in grey levels. */
  readonly light: { readonly gain: number; readonly offset: number };
  /** Number of the light that the scene is seen in, among those that this source has had: by day, by night, with a lamp on. */
  readonly illumination: number;
  /** Parts never to be reported: overlays as learned so far. */
  readonly overlays: readonly Region[];
  /** Parts that have not been at rest for a while, as water or foliage: they have no look to be held against another. */
  readonly restless?: readonly Region[];
  /** Standard deviation of the sensor noise of one pixel, in grey levels. */
  readonly noiseSigma: number;
  /** Share of the picture that differs from the baseline once light is allowed for, 0–1. */
  readonly changedShare: number;
}

/** A picture that supports a finding, stored by its SHA-256. */
export interface EvidencePicture {
  /** What it shows: `before`, `after`, `before-crop`, `after-crop`, `during`; `clip`: it moves, and `frame` is its first. */
  readonly role: string;
  readonly sha256: string;
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
  readonly frame?: FramePoint;
  /** The part of the original picture that it shows; absent for the whole. */
  readonly region?: Region;
}

/** A stored blob: evidence picture or keyframe. */
export interface Blob {
  readonly sha256: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A frame of a sequence; `lease` is there where the window kept its pixels. */
export interface SequenceFrame<L = unknown> {
  readonly ref: FrameRef;
  readonly evidence?: FrameEvidence;
  /** Why the pixels were kept; absent where they were not. `clip`: a smaller copy of them, for a moving picture. */
  readonly role?: 'before' | 'during' | 'after' | 'whole' | 'clip';
  readonly lease?: L;
}

/** A thing that the detector sees, with its COCO class. */
export interface DetectedObject {
  readonly label: string;
  /** 0–1 */
  readonly confidence: number;
  readonly region: Region;
}

/** A line of text as read. */
export interface TextLine {
  readonly text: string;
  /** Mean over its characters, 0–1. */
  readonly confidence: number;
  readonly region: Region;
}
