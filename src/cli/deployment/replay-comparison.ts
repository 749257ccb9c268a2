import { counterparts, type Counterparts, type Revisions } from '../../changes/counterparts.js';
import type { ChangeLog } from '../../log/index.js';
import { counted } from '../../outputs/report/words.js';
import type { CommandIo } from '../command.js';
import { eventLine } from '../event-lines.js';
import type { Watched } from './replay-record.js';

const pageSize = 256;

/** How the name of a topology is in the events of a run: no topology of a file can be named so. */
export const nameInRun = (topology: string, run: string): string => `${topology}@${run}`;

export interface ComparisonOptions {
  readonly run: string;
  /** As the deployment names them. */
  readonly topologies: readonly string[];
  readonly log: ChangeLog;
  readonly before: ChangeLog;
  readonly watched: ReadonlyMap<string, Watched>;
}

/**
 * The changes of a run (`one`) beside those that the deployment told of the same frames (`other`), topology by topology.
 * What began before the first frame of the stretch, or after its last, is left out: it was not looked at again.
 */
export async function compared({ run, topologies, log, before, watched }: ComparisonOptions): Promise<Counterparts> {
  const found: Counterparts[] = [];
  for (const topology of topologies) {
    const again = await changesOf(log, [nameInRun(topology, run)], watched);
    found.push(counterparts(again, await changesOf(before, [topology], watched)));
  }
  return {
    both: found.flatMap(({ both }) => both),
    onlyOne: found.flatMap(({ onlyOne }) => onlyOne),
    onlyOther: found.flatMap(({ onlyOther }) => onlyOther),
  };
}

/** Those that began while the cameras were watched. */
export async function changesOf(
  log: ChangeLog,
  topologies: readonly string[],
  watched: ReadonlyMap<string, Watched>,
): Promise<Revisions[]> {
  const filter = { sources: [...watched.keys()], kinds: [], topologies };
  const changes: Revisions[] = [];
  for (let afterChangeId: string | undefined; ;) {
    const page = await log.changes({ filter, limit: pageSize, ...(afterChangeId !== undefined && { afterChangeId }) });
    for (const { changeId } of page) {
      const revisions = await log.change(changeId);
      if (revisions.length > 0 && isIn(revisions, watched)) changes.push(revisions);
    }
    if (page.length < pageSize) return changes;
    afterChangeId = page[page.length - 1].changeId;
  }
}

function isIn([{ source, interval }]: Revisions, watched: ReadonlyMap<string, Watched>): boolean {
  const { timeMs } = interval.first;
  const span = watched.get(source);
  return span !== undefined && timeMs >= span.firstMs && timeMs <= span.lastMs;
}

export interface ReplayOutcome {
  readonly run: string;
  readonly place: string;
  readonly watched: ReadonlyMap<string, Watched>;
  /** Undefined where there is nothing to compare with. */
  readonly comparison: Counterparts | undefined;
}

/** For a person, or as one line of JSON. */
export function tellOutcome({ run, place, watched, comparison }: ReplayOutcome, io: CommandIo): void {
  const frames = [...watched.values()].reduce((sum, { frames: of }) => sum + of, 0);
  if (io.json) {
    const ids = (changes: readonly Revisions[]): string[] => changes.map(([{ changeId }]) => changeId);
    io.out.json(
      JSON.stringify({
        replay: {
          ...{ run, frames, cameras: [...watched.keys()] },
          ...(comparison && {
            both: comparison.both.map(({ one, other }) => ({ replay: one[0].changeId, before: other[0].changeId })),
            onlyInReplay: ids(comparison.onlyOne),
            onlyBefore: ids(comparison.onlyOther),
          }),
        },
      }),
    );
    return;
  }
  const cameras = counted(watched.size, 'camera');
  io.out.line(`run ${run}: ${counted(frames, 'frame')} of ${cameras} looked at again; its events are in ${place}`);
  if (comparison === undefined) {
    io.out.line('the deployment has no log yet: there is nothing to compare with');
    return;
  }
  const { both, onlyOne, onlyOther } = comparison;
  io.out.line(`${counted(both.length, 'change')} told before and again`);
  for (const [changes, what] of [
    [onlyOne, 'told only now'],
    [onlyOther, 'told only before'],
  ] as const) {
    io.out.line(`${counted(changes.length, 'change')} ${what}${changes.length > 0 ? ':' : ''}`);
    for (const [first] of changes) io.out.line('  ', ...eventLine(first));
  }
}
