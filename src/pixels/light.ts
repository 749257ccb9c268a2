/** Luma of a frame over luma of the baseline: `frame ≈ gain * baseline + offset`. */
export interface LightFit {
  readonly gain: number;
  readonly offset: number;
}

export const sameLight: LightFit = { gain: 1, offset: 0 };

/** Cells darker or brighter than this are clipped by the sensor and say nothing about gain. */
const CLIPPED_LOW = 4;
const CLIPPED_HIGH = 250;
/**
 * Pull of the offset to 0, as a share of the squared offset per cell. A flat scene cannot tell gain from offset, and light
 * is a gain; a scene with contrast outweighs the pull and shows its offset.
 */
const OFFSET_PULL = 0.02;

/** Within so many grey levels of the fit a cell is taken for a part of the scene in this light. */
const NEAR = 12;
/** Cells from this level on tell a change of light from none, and this share of them that none was. */
const TELLING = 60;
const STILL_SHARE = 0.3;

/**
 * Fits gain and offset to the values at the indices `cells` by least squares, four times over, each time without those
 * that lie more than three deviations off, so that things in the picture do not pass for light; those of before first.
 * Falls back to `before` where fewer than a tenth of the cells are usable.
 */
export function fitLight(frame: Float32Array, baseline: Float32Array, cells: Int32Array, before: LightFit): LightFit {
  let fit = before;
  let limit = isStill(frame, baseline, cells, before) ? NEAR : Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round++) {
    let n = 0;
    let sb = 0;
    let sf = 0;
    let sbb = 0;
    let sbf = 0;
    let deviation = 0;
    for (let i = 0; i < cells.length; i++) {
      const f = frame[cells[i]];
      if (f < CLIPPED_LOW || f > CLIPPED_HIGH) continue;
      const b = baseline[cells[i]];
      const off = Math.abs(f - fit.gain * b - fit.offset);
      if (off > limit) continue;
      n++;
      sb += b;
      sf += f;
      sbb += b * b;
      sbf += b * f;
      deviation += off;
    }
    if (n === 0 || n * 10 < cells.length) return before;
    // Normal equations of Σ(f - gain b - offset)² + OFFSET_PULL n offset².
    const stiff = n * (1 + OFFSET_PULL);
    const determinant = sbb * stiff - sb * sb;
    if (determinant <= 0) return before;
    const gain = Math.min(5, Math.max(0.2, (sbf * stiff - sb * sf) / determinant));
    fit = { gain, offset: (sf - gain * sb) / stiff };
    // 3 × the mean absolute deviation (of the fit before) is about 2.4 standard deviations of Gaussian noise.
    limit = Math.max(2, 3 * (deviation / n));
    if (round === 0) limit = Math.max(limit, NEAR);
  }
  return fit;
}

/**
 * Whether the light is about what it was: a change of it leaves no part of the picture alone, so where enough cells are as
 * before, what the others have in common is not light but something large that came or went.
 */
function isStill(frame: Float32Array, baseline: Float32Array, cells: Int32Array, { gain, offset }: LightFit): boolean {
  let usable = 0;
  let near = 0;
  for (let i = 0; i < cells.length; i++) {
    const f = frame[cells[i]];
    const b = baseline[cells[i]];
    // Dark cells are near it in any light.
    if (f < CLIPPED_LOW || f > CLIPPED_HIGH || b < TELLING) continue;
    usable++;
    if (Math.abs(f - gain * b - offset) < NEAR / 2) near++;
  }
  return near > STILL_SHARE * usable;
}
