import { BlinkstreamError, messageOf } from '../records/index.js';
import type { FfmpegLog } from './ffmpeg-log.js';
import { FfmpegProcess, type ByteSink } from './ffmpeg-process.js';
import { NutReader, type NutStep } from './nut.js';

export type ReadStep = Exclude<NutStep, { type: 'more' }> | { readonly type: 'end' } | { readonly type: 'stalled' };

/** Pulls frames out of one ffmpeg: nothing is read beyond the frame asked for but what the socket itself holds. */
export class FrameReader implements ByteSink {
  readonly #nut = new NutReader();
  #process: FfmpegProcess | undefined;
  #buffer: Uint8Array | undefined;
  #settle: { resolve: (step: ReadStep) => void; reject: (error: unknown) => void } | undefined;
  #waitedSince: NodeJS.Timeout | undefined;
  #ready: ReadStep | undefined;
  #ended = false;
  #failure: BlinkstreamError | undefined;

  private constructor(readonly stallMs: number) {}

  /** @throws BlinkstreamError `FFMPEG_NOT_STARTED` */
  static async start(
    file: string,
    args: readonly string[],
    log: FfmpegLog,
    stallMs: number,
    stdin?: string,
  ): Promise<FrameReader> {
    const reader = new FrameReader(stallMs);
    reader.#process = await FfmpegProcess.start(file, args, reader, log, stdin);
    void reader.#process.ended.then(() => {
      reader.#ended = true;
      reader.#settle?.resolve({ type: 'end' });
    });
    return reader;
  }

  target(): Uint8Array {
    return this.#nut.target();
  }

  received(bytes: number): boolean {
    this.#waitedSince?.refresh();
    this.#nut.received(bytes);
    return this.#advance();
  }

  /** The header first, without a buffer; then frames, each into the buffer that is given. One call at a time. */
  async next(buffer?: Uint8Array, stallMs = this.stallMs): Promise<ReadStep> {
    this.#buffer = buffer;
    // What has come already may hold all of it; a header may have come before anyone asked.
    if (this.#ready === undefined && this.#failure === undefined && buffer !== undefined) this.#advance();
    if (this.#failure !== undefined) throw this.#failure;
    const ready = this.#ready;
    if (ready !== undefined) {
      this.#ready = undefined;
      return ready;
    }
    if (this.#ended) return { type: 'end' };
    try {
      return await new Promise<ReadStep>((resolve, reject) => {
        this.#settle = { resolve, reject };
        this.#waitedSince = setTimeout(() => this.#give({ type: 'stalled' }), stallMs);
        this.#process?.resume();
      });
    } finally {
      clearTimeout(this.#waitedSince);
      this.#waitedSince = undefined;
    }
  }

  stop(): Promise<void> {
    return this.#process?.stop() ?? Promise.resolve();
  }

  /** Why ffmpeg itself ended badly, once its output has ended. */
  async exitProblem(): Promise<string | undefined> {
    await this.#process?.exit();
    const signal = this.#process?.child.signalCode;
    return signal ? `ffmpeg was ended by ${signal}` : undefined;
  }

  /** @returns whether more bytes are wanted */
  #advance(): boolean {
    try {
      const step = this.#nut.next(this.#buffer);
      if (step.type === 'more') return true;
      this.#give(step);
    } catch (error) {
      this.#failure = new BlinkstreamError(`ffmpeg's output cannot be read: ${messageOf(error)}`, {
        code: 'FFMPEG_OUTPUT',
        class: 'external',
        stage: 'source',
        hint: 'use another build of ffmpeg (FFMPEG_PATH)',
        cause: error,
      });
      this.#settle?.reject(this.#failure);
      this.#settle = undefined;
    }
    return false;
  }

  #give(step: ReadStep): void {
    if (this.#settle === undefined) this.#ready = step;
    this.#settle?.resolve(step);
    this.#settle = undefined;
  }
}
