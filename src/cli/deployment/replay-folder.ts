import type { Revisions } from '../../changes/counterparts.js';
import type { ChangeLog } from '../../log/index.js';
import { jsonLinesOutput } from '../../outputs/jsonl.js';
import { writeReport } from '../../outputs/report/report.js';
import { outputFolder } from '../output-folder.js';
import type { Watched } from './replay-record.js';

/** Writes what was committed so far, also where a run was broken off. */
export const writeEvents = (log: ChangeLog, out: string): Promise<unknown> =>
  jsonLinesOutput({ log, path: outputFolder(out).eventsFile, untilEnd: true, signal: new AbortController().signal });

/** The report of a run that is at its end. */
export async function writeRunReport(
  { log, out, run }: { readonly log: ChangeLog; readonly out: string; readonly run: string },
  watched: ReadonlyMap<string, Watched>,
  changes: readonly Revisions[],
): Promise<void> {
  const spans = [...watched.values()].map(({ firstMs, lastMs }) => lastMs - firstMs);
  await writeReport({
    path: outputFolder(out).reportFile,
    title: `What changed, looked at again as ${run}`,
    source: {
      name: [...watched.keys()].join(', '),
      framesRead: [...watched.values()].reduce((sum, { frames }) => sum + frames, 0),
      durationMs: Math.max(...spans),
      complete: true,
    },
    changes,
    blobs: log.blobs,
  });
}
