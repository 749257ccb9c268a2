import { bytesOf, contentOf, headerOf, type PictureHeader } from '../records/convert/picture.js';
import { sequenceToProto, type SequenceOutline } from '../records/convert/worker.js';
import type { PictureChunk, ReasonRequest } from '../records/generated/blinkstream/v1/worker_service.js';
import { BlinkstreamError, type FrameContent, type FrameSequence, type SequenceFrame } from '../records/index.js';
import { leaseOf } from '../sources/budget.js';
import { chunkBytes, limits } from './limits.js';

/** Input that breaks the protocol or a limit. */
export const refused = (what: string): BlinkstreamError =>
  new BlinkstreamError(`worker input refused: ${what}`, {
    code: 'WORKER_INPUT_REFUSED',
    class: 'data',
    stage: 'worker',
    hint: 'Check that both sides run the same version of Blinkstream, and use smaller pictures or windows.',
  });

/** The frames that have pixels, in the order in which these travel: the baseline first. */
const kept = <L>({ baseline, frames }: { baseline?: SequenceFrame<L>; frames: readonly SequenceFrame<L>[] }): L[] =>
  [baseline, ...frames].flatMap((frame) => frame?.lease ?? []);

const mapLease = <A, B>({ lease, ...frame }: SequenceFrame<A>, change: (lease: A) => B): SequenceFrame<B> => ({
  ...frame,
  ...(lease !== undefined && { lease: change(lease) }),
});

/**
 * A sequence as it is sent: its header, then its pictures in chunks that share the memory of the frames.
 * Pulled, so that no more of it lies in the stream's queue than that takes.
 * @throws BlinkstreamError `LEASE_RELEASED`, `PROTO_INVALID`
 */
export function* requestsOf(sequence: FrameSequence, question: string, reasoner: string): Generator<ReasonRequest> {
  const { frames, baseline, ...rest } = sequence;
  const header = (frame: FrameSequence['frames'][number]) => mapLease(frame, (lease) => headerOf(lease.content()));
  const outline = { ...rest, frames: frames.map(header), ...(baseline && { baseline: header(baseline) }) };
  yield { message: { $case: 'header', value: { sequence: sequenceToProto(outline), question, reasoner } } };
  for (const [picture, lease] of kept(sequence).entries()) {
    const bytes = bytesOf(lease.content());
    for (let from = 0; from < bytes.byteLength; from += chunkBytes) {
      const length = Math.min(chunkBytes, bytes.byteLength - from);
      const data = Buffer.from(bytes.buffer, bytes.byteOffset + from, length);
      yield { message: { $case: 'chunk', value: { picture, data } } };
    }
  }
}

/** The headers of a sequence's pictures. @throws BlinkstreamError `WORKER_INPUT_REFUSED` beyond a limit */
export function pictureHeaders(outline: SequenceOutline): PictureHeader[] {
  if (outline.frames.length > limits.framesPerSequence) {
    throw refused(`${outline.frames.length} frames, more than ${limits.framesPerSequence}`);
  }
  return kept(outline);
}

/** Pictures as they come in, chunk by chunk, none larger than announced. */
export class PictureIntake {
  readonly #contents: FrameContent[] = [];
  #bytes: Uint8Array | undefined;
  #filled = 0;

  /** @throws BlinkstreamError `WORKER_INPUT_REFUSED` where the pictures announced are too many or too large */
  constructor(readonly headers: readonly PictureHeader[]) {
    if (headers.length > limits.picturesPerSequence) {
      throw refused(`${headers.length} pictures, more than ${limits.picturesPerSequence}`);
    }
    let total = 0;
    for (const [picture, { byteLength }] of headers.entries()) {
      if (byteLength === 0 || byteLength > limits.pictureBytes) {
        throw refused(`picture ${picture} of ${byteLength} bytes, not 1 to ${limits.pictureBytes}`);
      }
      total += byteLength;
    }
    if (total > limits.sequenceBytes) throw refused(`${total} bytes of pictures, more than ${limits.sequenceBytes}`);
  }

  /** @throws BlinkstreamError `WORKER_INPUT_REFUSED` for a chunk out of turn, empty, or beyond its picture's end */
  accept({ picture, data }: PictureChunk): void {
    const header = this.headers[this.#contents.length];
    if (header === undefined || picture !== this.#contents.length) {
      throw refused(`a chunk of picture ${picture} where ${this.#contents.length} of ${this.headers.length} are whole`);
    }
    if (data.byteLength === 0) throw refused(`an empty chunk of picture ${picture}`);
    if (this.#filled + data.byteLength > header.byteLength) {
      throw refused(`picture ${picture} has more than the ${header.byteLength} bytes announced`);
    }
    // Not before its first chunk: what is only announced takes no memory.
    this.#bytes ??= new Uint8Array(header.byteLength);
    this.#bytes.set(data, this.#filled);
    this.#filled += data.byteLength;
    if (this.#filled < header.byteLength) return;
    this.#contents.push(contentOf(header, this.#bytes));
    this.#bytes = undefined;
    this.#filled = 0;
  }

  /** The pictures in the order of their headers. @throws BlinkstreamError `WORKER_INPUT_REFUSED` if some are missing */
  finish(): readonly FrameContent[] {
    if (this.#contents.length < this.headers.length) {
      throw refused(`only ${this.#contents.length} of ${this.headers.length} pictures came whole`);
    }
    return this.#contents;
  }
}

/** The sequence as it was sent, its pictures under leases that nobody counts. */
export function sequenceOf(outline: SequenceOutline, contents: readonly FrameContent[]): FrameSequence {
  const { frames, baseline, ...rest } = outline;
  let next = 0;
  const filled = (frame: SequenceFrame<PictureHeader>) =>
    mapLease(frame, ({ byteLength }) => leaseOf(contents[next++], byteLength, () => undefined));
  // Baseline first: pictures travel in that order.
  const filledBaseline = baseline && filled(baseline);
  return {
    ...rest,
    ...(filledBaseline && { baseline: filledBaseline }),
    frames: frames.map(filled),
    checkpoint: { states: {}, positions: {} },
  };
}
