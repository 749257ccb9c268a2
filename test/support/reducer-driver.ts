import { Tracker } from '../../src/changes/tracker.js';
import type { ChangeEvent, Finding, FrameEvidence, FrameRef, Gap, PictureU8 } from '../../src/records/index.js';
import { Gate } from '../../src/sequences/gate/gate.js';
import type { GateOptions } from '../../src/sequences/gate/options.js';
import { Sequencer, type NumberedWindow, type SequencerInput } from '../../src/sequences/windows/sequencer.js';
import type { WindowSpec } from '../../src/sequences/windows/window.js';
import { windowDefaults } from '../../src/topology/operators/window.js';
import { refOf } from '../../fixtures/stage.js';

export interface ReducerDriverOptions {
  readonly window: WindowSpec;
  readonly gate?: Partial<GateOptions>;
  readonly fps?: number;
  /** What a worker would make of a window; default: nothing. */
  readonly reason?: (window: NumberedWindow) => readonly Finding[];
}

/**
 * Gate, window and tracker chained by hand, as Kafka Streams' TopologyTestDriver chains processors: pictures and ticks
 * go in, what came out lies in `evidence`, `windows` and `events`. Nothing is asynchronous and no time passes.
 */
export class ReducerDriver {
  readonly evidence: FrameEvidence[] = [];
  readonly windows: NumberedWindow[] = [];
  readonly events: ChangeEvent[] = [];
  readonly #gate: Gate;
  readonly #window: Sequencer<unknown>;
  readonly #tracker = new Tracker({ topology: 'test', source: 'stage' });
  readonly #options: ReducerDriverOptions;
  /** Frames whose pixels the window has asked for, as the operator holds them. */
  readonly #held = new Set<number>();
  #index = 0;
  #missingMs = 0;

  constructor(options: ReducerDriverOptions) {
    this.#options = options;
    this.#gate = new Gate(options.gate);
    this.#window = new Sequencer(options.window, windowDefaults.idleMs);
  }

  /** The next frame, one frame interval after the one before. */
  frame(picture: PictureU8): FrameEvidence {
    const { width, height } = picture;
    const ref = later(refOf(this.#index++, { width, height, fps: this.#options.fps ?? 25 }), this.#missingMs);
    const evidence = this.#gate.measure(ref, picture);
    this.evidence.push(evidence);
    this.#held.add(ref.index);
    this.#push({ type: 'frame', ref, bytes: picture.data.byteLength, evidence });
    return evidence;
  }

  /** Frames come so much later from here on. */
  missing(ms: number): void {
    this.#missingMs += ms;
  }

  /** Time passes without a frame, perhaps in a gap. */
  tick(elapsedMs: number, gap?: Gap): void {
    const { source, eventTimeMs } = refOf(0);
    if (gap !== undefined) this.#gate.interrupt(eventTimeMs + elapsedMs);
    this.#push({ type: 'tick', source, eventTimeMs: eventTimeMs + elapsedMs, elapsedMs, ...(gap && { gap }) });
  }

  /** Frames whose pixels the window still wants. */
  kept(): ReadonlySet<number> {
    return this.#window.kept();
  }

  /** The source ends. */
  end(): void {
    this.#push({ type: 'end' });
    this.events.push(...this.#tracker.end());
  }

  #push(input: SequencerInput): void {
    for (const window of this.#window.push(input)) {
      const shown = window.frames.filter((frame) => frame.role !== undefined);
      if (window.baseline !== undefined) shown.push(window.baseline);
      const missing = shown.map((frame) => frame.ref.index).filter((index) => !this.#held.has(index));
      if (missing.length > 0)
        throw new Error(`window ${window.ordinal} shows frames that were let go: ${missing.join()}`);
      this.windows.push(window);
      this.events.push(
        ...this.#tracker.push({
          findings: this.#options.reason?.(window) ?? [],
          last: window.last,
          sequenceOrdinal: window.ordinal,
          reasoner: 'fake',
        }),
      );
    }
    const kept = this.#window.kept();
    const scene = this.#window.baseline()?.ref.index;
    for (const index of this.#held) if (!kept.has(index) && index !== scene) this.#held.delete(index);
  }
}

const later = (ref: FrameRef, ms: number): FrameRef => ({
  ...ref,
  eventTimeMs: ref.eventTimeMs + ms,
  elapsedMs: ref.elapsedMs + ms,
});
