import { isDeepStrictEqual } from 'node:util';
import type { ChangeLog } from '../../log/index.js';
import { BlinkstreamError } from '../../records/index.js';
import type { ReplayBound, Stretch } from '../../sources/kafka/replay/stretch.js';

/** What a run is of: with anything else of it, it is another run. */
export interface Asked {
  readonly source: string;
  readonly topic: string;
  readonly cameras: readonly string[];
  readonly from: ReplayBound;
  readonly to: ReplayBound | undefined;
  readonly topologies: readonly { readonly name: string; readonly options: unknown }[];
}

/** From the first to the last frame of a camera in the stretch, event time. */
export interface Watched {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly frames: number;
}

/** What is kept of a run beside its events and the checkpoints of its cameras, from its beginning on. */
export interface RunRecord {
  readonly run: string;
  readonly asked: Asked;
  /** As it was when the run began: what came later is not part of it. */
  readonly stretch: Stretch;
  /** By camera; once it has come to its end. */
  readonly watched?: ReadonlyMap<string, Watched>;
}

/** Where the record of a run is kept in its log. */
export interface RecordPlace {
  readonly log: ChangeLog;
  readonly key: string;
}

/** What stands there from an earlier start. @throws what the log throws */
export async function recordedRun({ log, key }: RecordPlace): Promise<RunRecord | undefined> {
  return (await log.checkpoint(key))?.states.replay as RunRecord | undefined;
}

export async function keepRecord({ log, key }: RecordPlace, record: RunRecord): Promise<void> {
  const checkpoint = { states: { replay: record }, positions: {} };
  await log.commit({ key, checkpoint, events: [], contradicted: [], blobs: [] });
}

/** @throws BlinkstreamError `REPLAY_DIFFERS` (user) where a run that began is asked for in other words */
export function mustBeOfSame({ run, asked }: RunRecord, now: Asked, runNow: string | undefined, place: string): void {
  const differing = (Object.keys(now) as (keyof Asked)[]).filter((what) => !isDeepStrictEqual(asked[what], now[what]));
  const named = runNow !== undefined && runNow !== run ? ['run', ...differing] : differing;
  if (named.length === 0) return;
  throw new BlinkstreamError(`${place} holds run ${run}, which was begun with another ${named.join(', ')}`, {
    code: 'REPLAY_DIFFERS',
    class: 'user',
    stage: 'cli',
    hint: 'give this one another --run, and another --out where there is one',
  });
}
