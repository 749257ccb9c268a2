import path from 'node:path';
import { dismissalOf, type Dismissal } from '../changes/feedback.js';
import { readFeedback, writeFeedback } from '../log/feedback.js';
import { openLmdbLog } from '../log/lmdb.js';
import type { CommandIo } from './command.js';
import { changeUnknown } from './failure.js';

/** Keeps with the log of `dir` that a change is none, or takes that back. */
export async function giveFeedback(io: CommandIo, dir: string, changeId: string, isNone: boolean): Promise<void> {
  const logFolder = path.join(dir, 'log');
  const log = await openLmdbLog({ path: logFolder, readOnly: true });
  try {
    const last = (await log.change(changeId)).at(-1);
    if (last === undefined) throw changeUnknown(dir, changeId);
    const others = (await readFeedback<Dismissal>(logFolder)).filter((one) => one.changeId !== changeId);
    await writeFeedback(logFolder, isNone ? [...others, dismissalOf(last)] : others);
    io.notes.line(
      isNone
        ? `noted: "${last.statement}" is no change; runs that begin from now on do not tell what is like it at that place`
        : `noted: "${last.statement}" is a change after all`,
    );
  } finally {
    await log.close();
  }
}
