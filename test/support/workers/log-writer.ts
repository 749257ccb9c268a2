/**
 * A writer of a log for tests to kill: `log-writer.js FOLDER [EVENTS KEPT]`. Goes on where the log says that it stopped;
 * tells on stdout, in lines of JSON, each commit once it was promised to be durable, and what refused it.
 */
import { writeSync } from 'node:fs';
import { openLmdbLog } from '../../../src/log/lmdb.js';
import { BlinkstreamError } from '../../../src/records/index.js';
import { type CommitCount, stepAt, writerKey } from './log-steps.js';

const [path, eventsKept] = process.argv.slice(2);
const tell = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

try {
  const log = await openLmdbLog({ path, ...(eventsKept && { retention: { maxEvents: Number(eventsKept) } }) });
  const checkpoint = await log.checkpoint(writerKey);
  let commits = checkpoint ? (checkpoint.states as unknown as CommitCount).commits : 0;
  for (;;) {
    await log.commit(stepAt(commits));
    commits += 1;
    tell({ commits });
    if (eventsKept && commits % 10 === 0) await log.prune(Date.now());
    // Leaves stdin, timers and signals their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
} catch (thrown) {
  if (!(thrown instanceof BlinkstreamError)) throw thrown;
  tell({ code: thrown.code, class: thrown.class, message: thrown.message, hint: thrown.hint });
  process.exitCode = 1;
}
