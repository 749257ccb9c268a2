import { PushCamera, type Refusal, type RefusalReason } from './camera.js';
import { pushSource } from './source.js';
import type { Source } from '../index.js';

export interface PushHubOptions {
  /** Pixels that a picture may have at most; default 100,000,000. */
  readonly maxPixels?: number;
  /** Told of each frame that is refused, for logs: nothing is dropped silently. */
  readonly onRefused?: (refusal: Refusal, count: number) => void;
  /** Told of what should not happen while a client is served, whose stream it ended. */
  readonly onError?: (error: unknown) => void;
}

/** The cameras that may be pushed, by name: where `FrameService` and the sources of kind push meet. */
export class PushHub {
  readonly maxPixels: number | undefined;
  readonly #options: PushHubOptions;
  readonly #cameras = new Map<string, PushCamera>();
  readonly #refused = new Map<string, Map<RefusalReason, number>>();

  constructor(options: PushHubOptions = {}) {
    this.maxPixels = options.maxPixels;
    this.#options = options;
  }

  /** These and no others may be pushed from now on, whether they are read yet or not. */
  declare(names: readonly string[]): void {
    for (const [name, camera] of this.#cameras) {
      if (names.includes(name)) continue;
      this.#cameras.delete(name);
      camera.forget();
    }
    for (const name of names) {
      if (!this.#cameras.has(name)) this.#cameras.set(name, new PushCamera(name, (refusal) => this.count(refusal)));
    }
  }

  camera(name: string): PushCamera | undefined {
    return this.#cameras.get(name);
  }

  /**
   * The frames of a declared camera.
   * @param options.stallMs without a frame for so long there is a gap; 0: never
   */
  source(name: string, options: { readonly stallMs: number }): Source {
    const camera = this.#cameras.get(name);
    if (camera === undefined) throw new Error(`no camera ${name} is declared`);
    return pushSource(camera, options);
  }

  /** Frames refused so far, by camera and reason. */
  get refused(): ReadonlyMap<string, ReadonlyMap<RefusalReason, number>> {
    return this.#refused;
  }

  count(refusal: Refusal): void {
    // Of names that clients make up there is no end.
    const name = this.#cameras.has(refusal.source) ? refusal.source : '';
    const counts = this.#refused.get(name) ?? new Map<RefusalReason, number>();
    this.#refused.set(name, counts);
    const count = (counts.get(refusal.reason) ?? 0) + 1;
    counts.set(refusal.reason, count);
    this.#options.onRefused?.(refusal, count);
  }

  failed(error: unknown): void {
    this.#options.onError?.(error);
  }
}
