import { BlinkstreamError, isTick, knowsWallClock, type Schedule, type SourceItem } from '../records/index.js';
import type { SourceFeed } from './feed.js';
import type { ReadOptions, Source, SourceReport } from './index.js';

/**
 * A source of which changes are told in these hours alone. Its frames are given all the same: the scene is followed day and
 * night. The first frame refuses a source that does not know the time of day.
 */
export function scheduled<Item extends SourceItem>(source: Source<Item>, schedule: Schedule | undefined): Source<Item> {
  if (schedule === undefined) return source;
  return {
    name: source.name,
    ...(source.replayable !== undefined && { replayable: source.replayable }),
    ...(source.zones && { zones: source.zones }),
    schedule,
    read: (options) => readDated(source, options),
    committed: (position) => source.committed?.(position),
    late: (ref) => source.late?.(ref),
  };
}

/** A feed of which each source has the schedule. */
export const scheduledFeed = <L>(feed: SourceFeed<L>, schedule: Schedule | undefined): SourceFeed<L> => ({
  name: feed.name,
  async *sources(signal) {
    for await (const fed of feed.sources(signal)) yield { ...fed, source: scheduled(fed.source, schedule) };
  },
});

async function* readDated<Item extends SourceItem>(
  source: Source<Item>,
  options: ReadOptions,
): AsyncGenerator<Item, SourceReport, undefined> {
  const reading = source.read(options);
  try {
    for (;;) {
      const next = await reading.next();
      if (next.done === true) return next.value;
      if (!isTick(next.value) && !knowsWallClock(next.value.ref.eventTimeMs)) {
        next.value.lease.release();
        throw notDated(source.name);
      }
      yield next.value;
    }
  } finally {
    // Where whoever reads leaves early, so does this.
    await reading.return(undefined as unknown as SourceReport);
  }
}

const notDated = (name: string): BlinkstreamError =>
  new BlinkstreamError(`a schedule needs the time of day, and ${name} does not tell it`, {
    code: 'SCHEDULE_WITHOUT_TIME',
    class: 'user',
    stage: 'source',
    hint: 'watch the camera itself, or pictures whose names or EXIF tell when they were taken; a video file only knows the time since its beginning',
  });
