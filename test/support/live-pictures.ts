import sharp from 'sharp';

/** Baseline JPEG of a bar that stands at `at` (0–1) of the width; sides multiples of 8. */
export async function barPicture(at: number, { width = 96, height = 64 } = {}): Promise<Buffer> {
  const data = Buffer.alloc(width * height * 3, 90);
  const from = Math.round(at * (width - 12));
  for (let y = 0; y < height; y++) data.fill(220, (y * width + from) * 3, (y * width + from + 12) * 3);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90, chromaSubsampling: '4:2:0', optimiseCoding: false })
    .toBuffer();
}

/** Pictures that follow each other round and round, none like the one before. */
export async function movingBar(size?: { width: number; height: number }): Promise<() => Buffer> {
  const pictures = await Promise.all(Array.from({ length: 10 }, (_, i) => barPicture(i / 9, size)));
  let next = 0;
  return () => pictures[next++ % pictures.length];
}
