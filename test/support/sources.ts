import { createHash } from 'node:crypto';
import { bytesOf } from '../../src/records/convert/picture.js';
import { isTick, type FrameRef, type Position } from '../../src/records/index.js';
import { ByteBudget } from '../../src/sources/budget.js';
import type { Source, SourceReport } from '../../src/sources/index.js';

export interface ReadFrame {
  readonly ref: FrameRef;
  /** SHA-256 of the samples, or of the encoded original. */
  readonly hash: string;
}

/** Reads a source to its end, one frame held at a time. */
export async function readAll(
  source: Source,
  options: { from?: Position; budget?: ByteBudget; signal?: AbortSignal; take?: number } = {},
): Promise<{ frames: ReadFrame[]; report: SourceReport | undefined }> {
  const { budget = new ByteBudget(64 << 20), signal = new AbortController().signal, take = Infinity, from } = options;
  const frames: ReadFrame[] = [];
  const reading = source.read({ budget, signal, ...(from !== undefined && { from }) });
  while (frames.length < take) {
    const step = await reading.next();
    if (step.done) return { frames, report: step.value };
    if (isTick(step.value)) continue;
    const { ref, lease } = step.value;
    frames.push({ ref, hash: createHash('sha256').update(bytesOf(lease.content())).digest('hex') });
    lease.release();
  }
  await reading.return(undefined as never);
  return { frames, report: undefined };
}
