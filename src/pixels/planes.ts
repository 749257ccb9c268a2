import type { PictureU8, Region } from '../records/index.js';

/** Luma, blue and red difference of a picture shrunken by a whole factor; samples are means, rows top to bottom. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  /** Original pixels per sample. */
  readonly shrink: number;
  readonly y: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
}

/** Planes of an 8-bit picture; each sample is the mean of `shrink`² pixels, luma by BT.601. */
export function yuvPlanes(picture: PictureU8, shrink: number): Planes {
  const { data, channels } = picture;
  const width = Math.max(1, Math.floor(picture.width / shrink));
  const height = Math.max(1, Math.floor(picture.height / shrink));
  const y = new Float32Array(width * height);
  const u = new Float32Array(width * height);
  const v = new Float32Array(width * height);
  const green = channels >= 3 ? 1 : 0;
  const blue = channels >= 3 ? 2 : 0;
  const scale = 1 / (shrink * shrink);
  for (let py = 0; py < height; py++) {
    for (let px = 0; px < width; px++) {
      let r = 0;
      let g = 0;
      let b = 0;
      for (let sy = 0; sy < shrink; sy++) {
        let i = ((py * shrink + sy) * picture.width + px * shrink) * channels;
        for (let sx = 0; sx < shrink; sx++, i += channels) {
          r += data[i];
          g += data[i + green];
          b += data[i + blue];
        }
      }
      const o = py * width + px;
      const luma = (0.299 * r + 0.587 * g + 0.114 * b) * scale;
      y[o] = luma;
      u[o] = b * scale - luma;
      v[o] = r * scale - luma;
    }
  }
  return { width, height, shrink, y, u, v };
}

/** Sample by sample the median of planes of one size: free of what only one frame shows. */
export function medianPlanes(all: readonly Planes[]): Planes {
  const [first] = all;
  if (all.length === 1) return first;
  const median = (pick: (planes: Planes) => Float32Array): Float32Array => {
    const arrays = all.map(pick);
    const out = new Float32Array(arrays[0].length);
    const column = new Float32Array(arrays.length);
    const middle = arrays.length >> 1;
    const even = arrays.length % 2 === 0;
    for (let i = 0; i < out.length; i++) {
      for (let k = 0; k < arrays.length; k++) column[k] = arrays[k][i];
      column.sort();
      out[i] = even ? (column[middle - 1] + column[middle]) / 2 : column[middle];
    }
    return out;
  };
  return { ...first, y: median((p) => p.y), u: median((p) => p.u), v: median((p) => p.v) };
}

/** The planes moved by (dx, dy) samples, bilinear, border repeated. */
export function shiftPlanes(planes: Planes, dx: number, dy: number): Planes {
  const { width, height } = planes;
  const move = (from: Float32Array): Float32Array => {
    const out = new Float32Array(from.length);
    for (let y = 0; y < height; y++) {
      const fy = Math.min(height - 1, Math.max(0, y - dy));
      const y0 = Math.floor(fy);
      const y1 = Math.min(height - 1, y0 + 1);
      const b = fy - y0;
      for (let x = 0; x < width; x++) {
        const fx = Math.min(width - 1, Math.max(0, x - dx));
        const x0 = Math.floor(fx);
        const x1 = Math.min(width - 1, x0 + 1);
        const a = fx - x0;
        const top = from[y0 * width + x0] * (1 - a) + from[y0 * width + x1] * a;
        const low = from[y1 * width + x0] * (1 - a) + from[y1 * width + x1] * a;
        out[y * width + x] = top * (1 - b) + low * b;
      }
    }
    return out;
  };
  return { ...planes, y: move(planes.y), u: move(planes.u), v: move(planes.v) };
}

/** Mean of a plane over 3×3 samples. */
export function smooth3(plane: Float32Array, width: number, height: number): Float32Array {
  const rows = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      rows[i] = (plane[x > 0 ? i - 1 : i] + plane[i] + plane[x < width - 1 ? i + 1 : i]) / 3;
    }
  }
  const out = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      out[i] = (rows[y > 0 ? i - width : i] + rows[i] + rows[y < height - 1 ? i + width : i]) / 3;
    }
  }
  return out;
}

/** The samples that a region of the original picture covers: inclusive bounds, inside the planes. */
export function samplesOf(region: Region, planes: Pick<Planes, 'width' | 'height' | 'shrink'>) {
  const { width, height, shrink } = planes;
  const clamp = (value: number, most: number) => Math.min(most, Math.max(0, value));
  return {
    left: clamp(Math.floor(region.x / shrink), width - 1),
    top: clamp(Math.floor(region.y / shrink), height - 1),
    right: clamp(Math.ceil((region.x + region.width) / shrink) - 1, width - 1),
    bottom: clamp(Math.ceil((region.y + region.height) / shrink) - 1, height - 1),
  };
}
