/** What of ffmpeg's error lines is kept: enough to tell a person, bounded whatever it writes. */
const MAX_LINE_CHARS = 300;
const MAX_KEPT_LINES = 20;

/** Lines by which decoders and demuxers say that pictures are damaged or missing; others may be errors without loss. */
const DAMAGE =
  /error while decoding|corrupt|invalid|damaged|truncat|concealing|missing|partial file|ends prematurely|packet mismatch|timed out|input\/output error|decode_slice|no frame!|unref short failure|header damaged|error at MB|overread|end of file|cabac|out of range|connection reset/i;

/** Of warnings only those count that tell of bytes that did not arrive whole. */
const DAMAGE_IN_WARNING =
  /packet corrupt|corrupt (?:input packet|decoded frame)|packet size mismatch|continuity check failed/i;

const VAGUE =
  /^(?:conversion failed|error opening input|at least one|impossible to open)|invalid data found when processing input$/i;

/** Error lines of one ffmpeg, as they come in pieces. */
export class FfmpegLog {
  #partial = '';
  readonly #lines: string[] = [];
  #damageCount = 0;
  #firstDamage: string | undefined;

  /** @param scrub takes secrets out of a line */
  constructor(readonly scrub: (line: string) => string) {}

  write(piece: string): void {
    const lines = (this.#partial + piece).split(/[\r\n]+/);
    this.#partial = (lines.pop() ?? '').slice(0, 4 * MAX_LINE_CHARS);
    for (const line of lines) this.#add(line);
  }

  end(): void {
    this.#add(this.#partial);
    this.#partial = '';
  }

  /** Lines since the last `forget` that speak of damaged or missing pictures. */
  get damageCount(): number {
    return this.#damageCount;
  }

  get firstDamage(): string | undefined {
    return this.#firstDamage;
  }

  /** What was complained of so far does not count: a decoder that begins in the middle misses what came before. */
  forgetDamage(): void {
    this.#damageCount = 0;
    this.#firstDamage = undefined;
  }

  /** The kept line that matches, the latest first. */
  find(pattern: RegExp): string | undefined {
    return this.#lines.findLast((line) => pattern.test(line));
  }

  /** The first kept line that says more than that it did not work; else the last. */
  get reason(): string | undefined {
    return this.#lines.find((line) => !VAGUE.test(line)) ?? this.#lines.at(-1);
  }

  #add(raw: string): void {
    // "[h264 @ 0x55d0c8] [error] text" and "[error] text" both come to "text".
    const line = this.scrub(raw.replace(/^(?:\[[^\]]*\]\s*)+/, '').trim()).slice(0, MAX_LINE_CHARS);
    if (line === '' || (/\[warning\]/.test(raw) && !DAMAGE_IN_WARNING.test(line))) return;
    this.#lines.push(line);
    if (this.#lines.length > MAX_KEPT_LINES) this.#lines.shift();
    if (DAMAGE.test(line)) {
      this.#damageCount++;
      this.#firstDamage ??= line;
    }
  }
}
