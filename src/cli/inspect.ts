import path from 'node:path';
import type { ChangeLog } from '../log/index.js';
import type { ChangeEvent } from '../records/index.js';
import { type CommandFactory, type CommandIo, newCommand } from './command.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { changeUnknown, usageError } from './failure.js';
import { text } from './option-values.js';
import { styled } from './terminal.js';

interface InspectOptions {
  readonly save?: string;
  readonly contradicted?: true;
  readonly notAChange?: true;
  readonly aChange?: true;
}

const pageSize = 256;

export const inspectCommand: CommandFactory = (act) =>
  newCommand('inspect', {
    summary: 'List the changes in an output folder, or tell everything about one',
    details: 'The folder may be that of a watch which is running.',
    examples: [
      'blinkstream inspect out',
      'blinkstream inspect out CHANGE --save pictures',
      'blinkstream inspect out --contradicted',
      'blinkstream inspect out CHANGE --not-a-change',
      'blinkstream inspect out --json | head -1',
    ],
  })
    .argument('<dir>', 'output folder of a watch', text)
    .argument('[change]', 'id of a change, as the list names it', text)
    .option('--save <dir>', 'write the evidence pictures there', text)
    .option('--contradicted', 'list the claims that the pixels contradicted, which were not published')
    .option(
      '--not-a-change',
      'say that it is none: runs that begin after this do not tell what is like it at that place',
    )
    .option('--a-change', 'take that back')
    .action(act(inspect));

async function inspect(
  io: CommandIo,
  dir: string,
  changeId: string | undefined,
  { save, contradicted, notAChange, aChange }: InspectOptions,
): Promise<ExitCode> {
  if (notAChange || aChange) {
    if (changeId === undefined || (notAChange && aChange) || contradicted || save !== undefined) {
      throw usageError(
        '--not-a-change and --a-change are said of one change',
        'give the id of a change, and one of the two',
      );
    }
    const { giveFeedback } = await import('./feedback.js');
    await giveFeedback(io, dir, changeId, notAChange === true);
    return exitCodes.done;
  }
  if (contradicted && (changeId !== undefined || save !== undefined)) {
    const other = save === undefined ? 'the id of a change' : '--save';
    throw usageError(
      `--contradicted and ${other} do not go together`,
      'those claims are no changes, and have no pictures',
    );
  }
  const { openLmdbLog } = await import('../log/lmdb.js');
  const log = await openLmdbLog({ path: path.join(dir, 'log'), readOnly: true });
  try {
    if (contradicted) await listContradicted(log, io);
    else if (changeId === undefined) await list(log, io, save);
    else await tell(await revisionsOf(log, dir, changeId), log, io, save);
  } finally {
    await log.close();
  }
  return exitCodes.done;
}

async function list(log: ChangeLog, io: CommandIo, save: string | undefined): Promise<void> {
  const [{ changeEventToJson }, { eventLine }, { counted }] = await Promise.all([
    import('../records/convert/change.js'),
    import('./event-lines.js'),
    import('../outputs/report/words.js'),
  ]);
  let count = 0;
  for await (const event of everyChange(log)) {
    if (io.signal.aborted) return;
    if (io.json) io.out.json(changeEventToJson(event));
    else io.out.line(styled('bold', event.changeId), '  ', ...eventLine(event));
    await io.out.flush();
    if (save !== undefined) await savePicturesOf(await log.change(event.changeId), log, io, save);
    count += 1;
  }
  if (!io.json) io.out.line(counted(count, 'change'));
}

/** The last revision of each. */
async function* everyChange(log: ChangeLog): AsyncGenerator<ChangeEvent> {
  let page: readonly ChangeEvent[] = [];
  do {
    const afterChangeId = page.at(-1)?.changeId;
    page = await log.changes({ limit: pageSize, ...(afterChangeId !== undefined && { afterChangeId }) });
    yield* page;
  } while (page.length === pageSize);
}

async function listContradicted(log: ChangeLog, io: CommandIo): Promise<void> {
  const [{ changeEventToJson }, { printContradicted }, { counted }] = await Promise.all([
    import('../records/convert/change.js'),
    import('./change-details.js'),
    import('../outputs/report/words.js'),
  ]);
  let count = 0;
  for await (const claim of everyContradicted(log)) {
    if (io.signal.aborted) return;
    if (io.json) io.out.json(changeEventToJson(claim));
    else printContradicted(io.out, claim);
    await io.out.flush();
    count += 1;
  }
  if (!io.json) io.out.line(counted(count, 'contradicted claim'));
}

async function* everyContradicted(log: ChangeLog): AsyncGenerator<ChangeEvent> {
  let page: readonly ChangeEvent[] = [];
  do {
    const afterEventId = page.at(-1)?.eventId;
    page = await log.contradicted({ limit: pageSize, ...(afterEventId !== undefined && { afterEventId }) });
    yield* page;
  } while (page.length === pageSize);
}

async function revisionsOf(log: ChangeLog, dir: string, changeId: string): Promise<readonly ChangeEvent[]> {
  const revisions = await log.change(changeId);
  if (revisions.length > 0) return revisions;
  throw changeUnknown(dir, changeId);
}

async function tell(
  revisions: readonly ChangeEvent[],
  log: ChangeLog,
  io: CommandIo,
  save: string | undefined,
): Promise<void> {
  if (io.json) {
    const { changeEventToJson } = await import('../records/convert/change.js');
    for (const event of revisions) io.out.json(changeEventToJson(event));
  } else {
    const { printChange } = await import('./change-details.js');
    printChange(io.out, revisions);
  }
  if (save !== undefined) await savePicturesOf(revisions, log, io, save);
}

async function savePicturesOf(
  revisions: readonly ChangeEvent[],
  log: ChangeLog,
  io: CommandIo,
  dir: string,
): Promise<void> {
  const { savePictures } = await import('./save-pictures.js');
  const { files, gone } = await savePictures(revisions, log.blobs, dir);
  if (io.json) {
    for (const file of files) io.out.json(JSON.stringify({ saved: file }));
    for (const { sha256 } of gone) io.out.json(JSON.stringify({ gone: sha256 }));
    return;
  }
  for (const file of files) io.out.line('  saved ', file);
  for (const { role, sha256 } of gone) io.notes.line(`  the log no longer holds picture ${role} ${sha256}`);
}
