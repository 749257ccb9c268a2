import { clamp, smoothstep, type Colour } from '../../fixtures/drawing.js';
import { textDistance, textWidth } from '../../fixtures/lettering.js';
import { normalSamples, randomOf, textureOf } from '../../fixtures/random.js';
import type { FrameRef, PictureU8, Region } from '../../src/records/index.js';

/** A thing with sharp borders and a little grain. */
export interface Box extends Region {
  readonly colour: Colour;
}

/** What a frame shows; what is absent is as in the empty scene. */
export interface Shot {
  readonly boxes?: readonly Box[];
  /** Darkens a round part with soft borders, or with a sharp one; `darkness` 0–1 in its middle. */
  readonly shadow?: {
    readonly x: number;
    readonly y: number;
    readonly radiusPx: number;
    readonly darkness: number;
    readonly isSharp?: boolean;
  };
  /** How far the camera has moved, px; up to 6. */
  readonly shift?: { readonly dx: number; readonly dy: number };
  /** Light over all that was said so far: `gain * level + offset`. */
  readonly gain?: number;
  readonly offset?: number;
  readonly grey?: boolean;
  /** Out of focus: means over squares of this side, odd, px. */
  readonly blurPx?: number;
  /** Deviation of the sensor's noise, grey levels; other noise in every shot. */
  readonly noiseSigma?: number;
  /** Written over the picture after everything else, as recorders do. */
  readonly clock?: string;
}

const MARGIN_PX = 8;
const CLOCK = { x: 6, y: 6, heightPx: 12 } as const;

/** A camera on a textured scene, seeded: the same shots in the same order give the same bytes. */
export class Stage {
  readonly width: number;
  readonly height: number;
  readonly #ground: Float32Array;
  readonly #random: () => number;
  readonly #noise: Float32Array;
  readonly #clocks = new Map<string, readonly (readonly [at: number, ink: number])[]>();

  constructor({ width = 160, height = 120, seed = 1 } = {}) {
    this.width = width;
    this.height = height;
    this.#random = randomOf(seed);
    this.#noise = normalSamples(1 << 16, this.#random);
    this.#ground = groundOf(width + 2 * MARGIN_PX, height + 2 * MARGIN_PX, seed);
  }

  draw(shot: Shot = {}): PictureU8 {
    const { width, height } = this;
    const { gain = 1, offset = 0, noiseSigma = 0, shift = { dx: 0, dy: 0 } } = shot;
    const levels = this.#scene(shift.dx, shift.dy);
    for (const box of shot.boxes ?? []) this.#box(levels, box, shift);
    if (shot.shadow) this.#shadow(levels, shot.shadow);
    if (shot.blurPx !== undefined) this.#blur(levels, (shot.blurPx - 1) / 2);
    let noiseAt = Math.floor(this.#random() * this.#noise.length);
    const data = new Uint8Array(width * height * 3);
    for (let i = 0; i < data.length; i += 3) {
      const luma = 0.299 * levels[i] + 0.587 * levels[i + 1] + 0.114 * levels[i + 2];
      for (let c = 0; c < 3; c++) {
        const level = gain * (shot.grey ? luma : levels[i + c]) + offset;
        noiseAt = (noiseAt + 1) % this.#noise.length;
        data[i + c] = clamp(Math.round(level + noiseSigma * this.#noise[noiseAt]), 0, 255);
      }
    }
    if (shot.clock !== undefined) this.#clock(data, shot.clock);
    return { type: 'u8', width, height, channels: 3, data };
  }

  /** Where the clock is written. */
  clockRegion(text: string): Region {
    return { x: CLOCK.x, y: CLOCK.y, width: textWidth(text, CLOCK.heightPx), height: CLOCK.heightPx };
  }

  #scene(dx: number, dy: number): Float32Array {
    const { width, height } = this;
    const stride = (width + 2 * MARGIN_PX) * 3;
    const left = Math.floor(-dx);
    const top = Math.floor(-dy);
    const a = -dx - left;
    const b = -dy - top;
    const levels = new Float32Array(width * height * 3);
    for (let y = 0, o = 0; y < height; y++) {
      let i = (y + MARGIN_PX + top) * stride + (MARGIN_PX + left) * 3;
      for (let x = 0; x < width * 3; x++, i++, o++) {
        const upper = this.#ground[i] * (1 - a) + this.#ground[i + 3] * a;
        const lower = this.#ground[i + stride] * (1 - a) + this.#ground[i + stride + 3] * a;
        levels[o] = upper * (1 - b) + lower * b;
      }
    }
    return levels;
  }

  #box(levels: Float32Array, { x, y, width, height, colour }: Box, { dx, dy }: { dx: number; dy: number }): void {
    const left = Math.round(x + dx);
    const top = Math.round(y + dy);
    for (let py = Math.max(0, top); py < Math.min(this.height, top + height); py++) {
      for (let px = Math.max(0, left); px < Math.min(this.width, left + width); px++) {
        const grain = ((px - left) * 7 + (py - top) * 13) % 11;
        for (let c = 0; c < 3; c++) levels[(py * this.width + px) * 3 + c] = colour[c] + grain - 5;
      }
    }
  }

  /** Means along rows, then along columns; beyond the border it looks as at the border. */
  #blur(levels: Float32Array, radius: number): void {
    const { width, height } = this;
    const along = (count: number, from: number, step: number): void => {
      const line = Float32Array.from({ length: count }, (_, k) => levels[from + k * step]);
      for (let k = 0; k < count; k++) {
        let sum = 0;
        for (let d = -radius; d <= radius; d++) sum += line[clamp(k + d, 0, count - 1)];
        levels[from + k * step] = sum / (2 * radius + 1);
      }
    };
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < height; y++) along(width, y * width * 3 + c, 3);
      for (let x = 0; x < width; x++) along(height, x * 3 + c, width * 3);
    }
  }

  #shadow(levels: Float32Array, { x, y, radiusPx, darkness, isSharp }: NonNullable<Shot['shadow']>): void {
    for (let i = 0; i < levels.length; i += 3) {
      const at = i / 3;
      const far = Math.hypot((at % this.width) - x, Math.floor(at / this.width) - y) / radiusPx;
      const light = 1 - darkness * (isSharp ? Number(far < 1) : smoothstep(1, 0, far));
      for (let c = 0; c < 3; c++) levels[i + c] *= light;
    }
  }

  #clock(data: Uint8Array, text: string): void {
    for (const [at, ink] of this.#inkOf(text)) {
      for (let c = 0; c < 3; c++) data[at + c] = data[at + c] * (1 - ink) + 250 * ink;
    }
  }

  #inkOf(text: string): readonly (readonly [number, number])[] {
    const known = this.#clocks.get(text);
    if (known !== undefined) return known;
    const distance = textDistance(text, CLOCK.heightPx);
    const ink: [number, number][] = [];
    for (let y = -2; y < CLOCK.heightPx + 2; y++) {
      for (let x = -2; x < textWidth(text, CLOCK.heightPx) + 2; x++) {
        const share = clamp(1.6 - distance(x, y));
        if (share > 0) ink.push([((y + CLOCK.y) * this.width + x + CLOCK.x) * 3, share]);
      }
    }
    this.#clocks.set(text, ink);
    return ink;
  }
}

/** RGB levels of a ground with texture of several sizes and boards with sharp borders, about 40–200. */
function groundOf(width: number, height: number, seed: number): Float32Array {
  const coarse = textureOf(seed);
  const fine = textureOf(seed + 1);
  const levels = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const board = (Math.floor(x / 19) * 5 + Math.floor(y / 23) * 3) % 4;
      const level = 100 + 14 * board + 30 * coarse(x / 24, y / 24) + 16 * fine(x / 6, y / 6);
      const warm = 10 * coarse(x / 40 + 90, y / 40);
      levels.set([level + warm, level, level - warm], (y * width + x) * 3);
    }
  }
  return levels;
}

/** The reference of the `index`-th frame of a source that runs at `fps`. */
export function refOf(index: number, { width = 160, height = 120, fps = 25, source = 'stage' } = {}): FrameRef {
  const elapsedMs = (index * 1_000) / fps;
  const position = { index, offset: String(index) };
  return { source, index, eventTimeMs: 1_000_000 + elapsedMs, elapsedMs, position, width, height };
}
