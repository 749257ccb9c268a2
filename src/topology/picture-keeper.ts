import type { Committer } from '../log/index.js';
import { BlinkstreamError, type Blob, type Checkpoint } from '../records/index.js';
import type { Step } from './operators/track.js';
import { rotated, type StoredKeyframe } from './scene-keyframes.js';

/** What a checkpoint says of the pictures that it needs beside those of open changes. */
export interface KeptPictures {
  readonly sceneSha256?: string;
  /** In order of time. */
  readonly keyframes?: readonly StoredKeyframe[];
}

/**
 * Holds the pictures that later commits must name again: of the settled scene, and of changes that are still open; and knows
 * by name those of the scene as it was from time to time.
 */
export class PictureKeeper {
  #scene: Blob | undefined;
  #keyframes: readonly StoredKeyframe[];
  #open = new Map<string, Blob>();

  private constructor(
    private readonly maxAgeMs: number | undefined,
    keyframes: readonly StoredKeyframe[],
  ) {
    this.#keyframes = keyframes;
  }

  /** @throws BlinkstreamError `LOG_INCOMPLETE` (internal) */
  static async restore(
    log: Committer,
    checkpoint: Checkpoint | undefined,
    { sceneSha256, keyframes = [] }: KeptPictures,
    maxAgeMs?: number,
  ): Promise<PictureKeeper> {
    const keeper = new PictureKeeper(maxAgeMs, keyframes);
    if (sceneSha256 !== undefined) keeper.#scene = await stored(log, sceneSha256);
    for (const sha256 of openPicturesOf(checkpoint)) keeper.#open.set(sha256, await stored(log, sha256));
    return keeper;
  }

  get scene(): Blob | undefined {
    return this.#scene;
  }

  get kept(): KeptPictures {
    return { ...(this.#scene && { sceneSha256: this.#scene.sha256 }), keyframes: this.#keyframes };
  }

  /** The pictures that a commit of these steps must name: with their bytes, or by name where the log has them. */
  take(steps: readonly Step[]): { readonly blobs: Blob[]; readonly keeps: string[] } {
    const blobs = new Map(this.#open);
    for (const step of steps) for (const blob of step.blobs) blobs.set(blob.sha256, blob);
    const open = new Set(steps.at(-1)?.openPictures ?? []);
    this.#open = new Map([...blobs].filter(([sha256]) => open.has(sha256)));
    const before = this.#keyframes;
    for (const { settledScene } of steps) {
      if (settledScene === undefined) continue;
      const { at, width, height, blob, keyframe } = settledScene;
      this.#scene = blob;
      if (keyframe === undefined) continue;
      blobs.set(keyframe.sha256, keyframe);
      this.#keyframes = [...this.#keyframes, { at, width, height, sha256: keyframe.sha256 }];
    }
    this.#keyframes = rotated(this.#keyframes, this.maxAgeMs);
    if (this.#scene !== undefined) blobs.set(this.#scene.sha256, this.#scene);
    const staying = new Set(this.#keyframes);
    const keeps = before.filter((keyframe) => staying.has(keyframe)).map(({ sha256 }) => sha256);
    return { blobs: [...blobs.values()], keeps };
  }
}

/** What `track` put into its state, as far as pictures go. */
function openPicturesOf(checkpoint: Checkpoint | undefined): Set<string> {
  const state = checkpoint?.states.track as
    | { readonly open: readonly { readonly finding: { readonly pictures: readonly { readonly sha256: string }[] } }[] }
    | undefined;
  return new Set(state?.open.flatMap(({ finding }) => finding.pictures.map(({ sha256 }) => sha256)));
}

async function stored(log: Committer, sha256: string): Promise<Blob> {
  const blob = await log.blobs.get(sha256);
  if (blob !== undefined) return blob;
  throw new BlinkstreamError(`the log's checkpoint names picture ${sha256}, which the log does not hold`, {
    code: 'LOG_INCOMPLETE',
    class: 'internal',
    stage: 'log',
    hint: 'the log was damaged from outside: restore it, or begin anew with another output folder',
  });
}
