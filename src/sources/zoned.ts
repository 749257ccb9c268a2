import { blackOut } from '../pixels/black-out.js';
import { encodePng, encodeJpeg } from '../pixels/encode.js';
import { decodePicture } from '../pixels/decode.js';
import type { Polygon } from '../pixels/polygon.js';
import {
  BlinkstreamError,
  isTick,
  type Frame,
  type FrameContent,
  type Picture,
  type SourceItem,
  type Zone,
} from '../records/index.js';
import { leaseOf } from './budget.js';
import type { SourceFeed } from './feed.js';
import type { ReadOptions, Source, SourceReport } from './index.js';

/** Of what is encoded anew: what is left of it is looked at as closely as before. */
const QUALITY = 95;

/**
 * A source with its zones. Private areas are black in every frame that it gives, before anything else sees it: pixels in
 * place, encoded pictures decoded and encoded anew (JPEG as JPEG, everything else losslessly), in their own size.
 */
export function zoned<Item extends SourceItem>(source: Source<Item>, zones: readonly Zone[]): Source<Item> {
  if (zones.length === 0) return source;
  const areas = zones.filter(({ use }) => use === 'private').map(({ polygon }) => polygon);
  return {
    name: source.name,
    ...(source.replayable !== undefined && { replayable: source.replayable }),
    zones,
    read: (options) => (areas.length === 0 ? source.read(options) : readBlackened(source, areas, options)),
    committed: (position) => source.committed?.(position),
    late: (ref) => source.late?.(ref),
  };
}

/** A feed whose sources have the zones of their names. */
export const zonedFeed = <L>(feed: SourceFeed<L>, zones: ReadonlyMap<string, readonly Zone[]>): SourceFeed<L> => ({
  name: feed.name,
  async *sources(signal) {
    for await (const fed of feed.sources(signal)) {
      yield { ...fed, source: zoned(fed.source, zones.get(fed.source.name) ?? []) };
    }
  },
});

async function* readBlackened<Item extends SourceItem>(
  source: Source<Item>,
  areas: readonly Polygon[],
  options: ReadOptions,
): AsyncGenerator<Item, SourceReport, undefined> {
  const reading = source.read(options);
  try {
    for (;;) {
      const next = await reading.next();
      if (next.done === true) return next.value;
      // A frame stays the kind of item that it was.
      yield isTick(next.value) ? next.value : ((await blackened(next.value, areas)) as Item);
    }
  } finally {
    // Where whoever reads leaves early, so does this.
    await reading.return(undefined as unknown as SourceReport);
  }
}

async function blackened({ ref, lease }: Frame, areas: readonly Polygon[]): Promise<Frame> {
  try {
    const content = await withoutAreas(lease.content(), areas);
    return { ref, lease: leaseOf(content, lease.bytes, () => lease.release()) };
  } catch (error) {
    lease.release();
    throw error;
  }
}

async function withoutAreas(content: FrameContent, areas: readonly Polygon[]): Promise<FrameContent> {
  if (content.form !== 'encoded') {
    blackOut(content.picture, areas);
    return content;
  }
  const { mediaType } = content.encoded;
  let picture: Picture;
  try {
    picture = await decodePicture(content.encoded);
  } catch (error) {
    // Whoever looks at it next cannot either, and says so.
    if (error instanceof BlinkstreamError && error.class === 'data') return content;
    throw error;
  }
  blackOut(picture, areas);
  if (picture.type === 'f32') return { form: 'pixels', picture };
  return mediaType === 'image/jpeg'
    ? { form: 'encoded', encoded: { mediaType, bytes: await encodeJpeg(picture, QUALITY) } }
    : { form: 'encoded', encoded: { mediaType: 'image/png', bytes: await encodePng(picture) } };
}
