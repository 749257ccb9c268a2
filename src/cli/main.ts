/** The process around the command line: signals, closed pipes, the exit code. */
import { exitCodes } from './exit-codes.js';
import { report } from './failure.js';
import { runCli } from './program.js';
import { StatusLine, Terminal } from './terminal.js';

const { stdout, stderr, env } = process;
const stop = new AbortController();

// What grpc-js would write to stderr it throws too, and that is told in our words. It reads this when it is loaded.
if (!env.BLINKSTREAM_DEBUG) env.GRPC_VERBOSITY ??= 'NONE';

for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `| head` has seen enough: nothing to complain about, nothing more to tell.
    if (error.code !== 'EPIPE') throw error;
    stop.abort();
  });
}

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    if (stderr.isTTY) stderr.write('\nstopping: what is under way is finished; once more to stop at once\n');
    stop.abort();
  });
}

// A command that another one started with a channel ends with it, however that one ended.
process.once('disconnect', () => stop.abort());

process.on('uncaughtException', (error) => {
  const notes = new Terminal(stderr, new StatusLine(stderr), env);
  const debug = Boolean(env.BLINKSTREAM_DEBUG);
  process.exit(report(error, notes, { json: process.argv.includes('--json'), debug }));
});

const exitCode = await runCli(process.argv.slice(2), { stdout, stderr, env, signal: stop.signal });
// Everything is written and closed by now; a native library's idle thread must not hold the process.
process.exit(exitCode);
