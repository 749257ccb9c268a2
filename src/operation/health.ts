import type { ChangeLog } from '../log/index.js';
import { BlinkstreamError } from '../records/index.js';
import { inTime } from './in-time.js';
import type { ServiceTally } from './tally.js';

/** Whether all is well, and else what is not: names and error codes alone, because anybody may ask. */
export type Health = { readonly ok: true } | { readonly ok: false; readonly problems: readonly string[] };

const writeWithinMs = 5_000;
/** Who asks more often is told what was found last, so that questions do not wear the disk. */
const restMs = 1_000;

/**
 * Whether the process works: that it answers says that its event loop turns, and the log is written to. A log that
 * cannot be written is told by its error's code, `LOG_FULL` for instance.
 */
export function liveness(
  log: Pick<ChangeLog, 'probe'>,
  nowMs: () => number = () => performance.now(),
): () => Promise<Health> {
  let last: { readonly atMs: number; readonly health: Promise<Health> } | undefined;
  const probe = async (): Promise<Health> => {
    try {
      await inTime(log.probe(), writeWithinMs);
      return { ok: true };
    } catch (error) {
      return { ok: false, problems: [`log: ${error instanceof BlinkstreamError ? error.code : 'NOT_WRITTEN'}`] };
    }
  };
  return () => {
    if (last === undefined || nowMs() - last.atMs >= restMs) last = { atMs: nowMs(), health: probe() };
    return last.health;
  };
}

/** Whether it does what it is for: its pipelines have started, and it is not about to end. */
export function readiness({ tally, draining }: { tally: ServiceTally; draining: AbortSignal }): () => Health {
  return () => {
    const starting = tally.pipelines.filter(({ state }) => state === 'starting');
    const problems = [
      ...(draining.aborted ? ['draining'] : []),
      ...(tally.isBegun ? [] : ['starting']),
      ...starting.map(({ topology, source }) => `${topology}/${source} starting`),
    ];
    return problems.length === 0 ? { ok: true } : { ok: false, problems };
  };
}
