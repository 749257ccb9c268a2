/**
 * Tells from the times of frames that are counted by twos whether their shape has changed. ffmpeg begins to count anew
 * with another shape, and a muxer, which wants every time to be later than the last, then makes it a tick later.
 */
export class FrameCount {
  #last: number | undefined;
  #step: number | undefined;

  changes(pts: number): boolean {
    const step = this.#last === undefined ? undefined : pts - this.#last;
    this.#last = pts;
    // How many ticks of the muxer two are is for the muxer to say.
    this.#step ??= step;
    return step !== this.#step;
  }
}
