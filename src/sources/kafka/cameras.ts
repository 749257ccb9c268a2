import { BlinkstreamError } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import type { Fed } from '../feed.js';
import { BackOff } from '../../records/back-off.js';
import { Camera, type CameraHost } from './camera.js';
import type { Coverage } from './coverage.js';
import type { Taken } from './intake.js';
import type { FrameMessage } from './message.js';

export interface CamerasOptions<L> {
  readonly lane: L;
  readonly coverage: Coverage;
  readonly host: CameraHost;
  /** Aborts when nothing more is to be given. */
  readonly stop: AbortSignal;
  /** Aborts when nothing may be committed any more. */
  readonly lost: AbortSignal;
  readonly maxCameras: number;
  readonly offer: (fed: Fed<L>) => void;
  readonly problem: (error: unknown) => void;
  /** The partition is to be read again from there on: a camera begins anew. */
  readonly readAgain: (offset: bigint) => void;
}

/**
 * The cameras of a partition: each is offered when its first frame comes, and given every frame once. One whose pipeline
 * breaks is offered anew after a while, and the partition read again for it; the others are not given anything twice.
 */
export class Cameras<L> {
  readonly #options: CamerasOptions<L>;
  /** Offered, and not over. */
  readonly #running = new Map<string, Camera>();
  /** Broken, and offered anew after a while. */
  readonly #resting = new Set<string>();
  readonly #backOffs = new Map<string, BackOff>();
  /** By camera the first message that it has not been given. */
  readonly #wanted = new Map<string, bigint>();
  #empty: (() => void) | undefined;
  /** What had expired; cameras that come later are told too. */
  #expired: Extract<Taken, { type: 'expired' }> | undefined;

  constructor(options: CamerasOptions<L>) {
    this.#options = options;
  }

  /** @returns bytes that wait now; undefined for one camera too many, to which nothing was given */
  give(frame: FrameMessage): number | undefined {
    const { coverage, maxCameras } = this.#options;
    const { camera: name, picture } = frame;
    const { offset } = frame.message;
    const wanted = this.#wanted.get(name);
    if (wanted === undefined && this.#wanted.size >= maxCameras) return undefined;
    if (wanted !== undefined && offset < wanted) {
      coverage.pass(offset + 1n);
      frame.message.release();
      return 0;
    }
    coverage.take(name, offset);
    this.#wanted.set(name, offset + 1n);
    // It will be read again.
    if (this.#resting.has(name)) {
      frame.message.release();
      return 0;
    }
    const camera = this.#running.get(name) ?? this.#offer(name);
    camera.push(frame);
    return picture.bytes.byteLength;
  }

  expire(expired: Extract<Taken, { type: 'expired' }>): void {
    this.#options.coverage.pass(expired.before);
    this.#expired = expired;
    for (const camera of this.#running.values()) camera.push(expired);
  }

  /** Gives nothing more. Resolves when all pipelines are over. */
  async suspend(): Promise<void> {
    for (const camera of this.#running.values()) camera.suspend();
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#empty = resolve));
  }

  #offer(name: string): Camera {
    const { host, lane, lost, offer } = this.#options;
    const camera = new Camera(name, host);
    if (this.#expired !== undefined) camera.push(this.#expired);
    this.#running.set(name, camera);
    const beganAt = performance.now();
    offer({
      source: camera,
      committer: lane,
      lost,
      ended: (error) => this.#ended(camera, { error, soundMs: performance.now() - beganAt }),
    });
    return camera;
  }

  #ended(camera: Camera, { error, soundMs }: { readonly error: unknown; readonly soundMs: number }): void {
    const { name } = camera;
    const { stop, problem } = this.#options;
    if (this.#running.get(name) !== camera) return;
    this.#running.delete(name);
    camera.suspend();
    if (this.#running.size === 0) this.#empty?.();
    if (stop.aborted) return;
    if (error !== undefined) problem(error);
    const backOff = this.#backOffs.get(name) ?? new BackOff();
    this.#backOffs.set(name, backOff);
    this.#resting.add(name);
    void pauseFor(backOff.pauseMs(soundMs), stop).then(() => {
      if (!stop.aborted) this.#readAgain(name);
    });
  }

  #readAgain(name: string): void {
    const { coverage, readAgain } = this.#options;
    this.#resting.delete(name);
    const first = coverage.firstOpen(name);
    // All of it is covered: its next frame offers it anew.
    if (first === undefined) return;
    coverage.rewind(name, first);
    this.#wanted.set(name, first);
    readAgain(first);
  }
}

export const tooManyCameras = (most: number): BlinkstreamError =>
  new BlinkstreamError(`the partition has frames of more than ${most} cameras`, {
    code: 'TOO_MANY_CAMERAS',
    class: 'data',
    stage: 'source',
    hint: 'use the same key for all frames of a camera, or allow more of them',
  });
