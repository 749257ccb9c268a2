import type { ChangeLog } from '../log/index.js';
import { writeReport } from '../outputs/report/report.js';
import { changeEventToJson } from '../records/convert/change.js';
import type { ChangeEvent, FrameRef, Schedule } from '../records/index.js';
import type { SourceReport } from '../sources/index.js';
import type { CommandIo } from './command.js';
import { eventLine } from './event-lines.js';
import type { OutputFolder } from './output-folder.js';

/** What a run of one source has come to. */
export interface RunFigures {
  readonly report: SourceReport;
  readonly alreadyDone: boolean;
  readonly contradicted: number;
  readonly lateFrames: number;
  readonly unreadableFrames: number;
  readonly deadLetters: number;
  readonly heldBack: number;
  readonly lastFrame: FrameRef | undefined;
}

export function print(io: CommandIo, event: ChangeEvent): void {
  if (io.json) io.out.json(changeEventToJson(event));
  else io.out.line(...eventLine(event));
}

/** Writes report.html; returns the changes that it tells, each as its revisions. */
export async function writeRunReport(
  log: ChangeLog,
  folder: OutputFolder,
  source: {
    readonly name: string;
    readonly schedule?: Schedule | undefined;
    readonly timeZone?: string | undefined;
  },
  figures: RunFigures,
): Promise<readonly (readonly ChangeEvent[])[]> {
  const changes: (readonly ChangeEvent[])[] = [];
  for (let after: string | undefined; ;) {
    const page = await log.changes({ limit: 500, ...(after !== undefined && { afterChangeId: after }) });
    for (const { changeId } of page) changes.push(await log.change(changeId));
    if (page.length < 500) break;
    after = page[page.length - 1].changeId;
  }
  const latest = changes.flat().reduce((ms, event) => Math.max(ms, event.interval.last.elapsedMs), 0);
  const last = figures.lastFrame;
  await writeReport({
    path: folder.reportFile,
    title: `What changed in ${source.name}`,
    ...(source.timeZone !== undefined && { timeZone: source.timeZone }),
    source: {
      ...figures.report,
      name: source.name,
      durationMs: Math.max(latest, last?.elapsedMs ?? 0),
      ...(source.schedule && { told: { hours: source.schedule.words, heldBack: figures.heldBack } }),
      ...(last && { frameSize: { width: last.width, height: last.height } }),
    },
    changes,
    blobs: log.blobs,
  });
  return changes;
}
