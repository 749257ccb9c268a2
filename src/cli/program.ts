import { Command, CommanderError } from 'commander';
import { packageVersion } from '../workers/version.js';
import type { Act, CommandFactory, CommandIo } from './command.js';
import { compareCommand } from './compare.js';
import { demoCommand } from './demo.js';
import { diffCommand } from './diff.js';
import { doctorCommand } from './doctor.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { fromCommander, report, usageError } from './failure.js';
import { inspectCommand } from './inspect.js';
import { nearest } from '../records/nearest.js';
import { Progress } from './progress.js';
import { publishCommand } from './publish.js';
import { subscribeCommand } from './subscribe.js';
import { replayCommand } from './replay.js';
import { runCommand } from './run.js';
import { StatusLine, Terminal, type TerminalStream } from './terminal.js';
import { watchCommand } from './watch.js';
import { workerCommand } from './worker.js';

const commands: readonly CommandFactory[] = [
  demoCommand,
  watchCommand,
  compareCommand,
  diffCommand,
  runCommand,
  publishCommand,
  replayCommand,
  workerCommand,
  subscribeCommand,
  inspectCommand,
  doctorCommand,
];

const exitHelp = `
Exit codes: 0 done, 1 changes found (with --fail-on-change), 2 usage, 3 input, 4 environment, 70 internal error,
130 interrupted. BLINKSTREAM_DEBUG=1 prints the details of an error, NO_COLOR=1 takes the colours away.`;

/** What a process gives to its command line. */
export interface Surroundings {
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Runs one command line, without `node` and the script, to its exit code. Never rejects. */
export async function runCli(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout, stderr, env, signal } = surroundings;
  const status = new StatusLine(stderr);
  const io: CommandIo = {
    out: new Terminal(stdout, status, env),
    notes: new Terminal(stderr, status, env),
    progress: new Progress(status),
    json: asksForJson(args),
    env,
    signal,
  };
  try {
    return await execute(args, io, surroundings);
  } catch (error) {
    status.clear();
    if (signal.aborted && isAbort(error)) return exitCodes.interrupted;
    return report(error, io.notes, { json: io.json, debug: Boolean(env.BLINKSTREAM_DEBUG) });
  } finally {
    status.clear();
    await Promise.all([io.out.flush(), io.notes.flush()]);
  }
}

async function execute(args: readonly string[], io: CommandIo, { stdout, stderr }: Surroundings): Promise<number> {
  let exitCode: ExitCode = exitCodes.done;
  const act: Act =
    <A extends readonly unknown[]>(action: (io: CommandIo, ...args: A) => Promise<ExitCode>) =>
    async (...given) => {
      // Commander gives the arguments, the options and, last, the command itself.
      exitCode = await action(io, ...(given.slice(0, -1) as unknown as A));
    };
  const program = new Command('blinkstream')
    .description('Tells what changed in image streams: frames in, described and verified change events out.')
    .version(packageVersion())
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined, // `report` tells it.
    })
    .exitOverride((error) => {
      throw fromCommander(error, 'blinkstream');
    })
    .addHelpText('after', exitHelp);
  for (const make of commands) {
    const command = make(act)
      .copyInheritedSettings(program)
      .option('--json', 'print JSON, one value a line; an error is one on standard error');
    program.addCommand(
      command.exitOverride((error) => {
        const isMissing = error.code === 'commander.missingMandatoryOptionValue';
        throw (isMissing && mistyped(command, args)) || fromCommander(error, `blinkstream ${command.name()}`);
      }),
    );
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version are done; help because no command was named is told on standard error.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  return exitCode;
}

/** Commander tells of a required option that is not there before it looks at a mistyped one, which may be the reason. */
function mistyped(command: Command, args: readonly string[]): Error | undefined {
  const known = [...command.options.map(({ long }) => long), '--help'].filter((flag) => flag !== undefined);
  const flags = args.filter((word) => /^--[a-z]/i.test(word)).map((word) => word.split('=', 1)[0]);
  const unknown = flags.find((flag) => !known.includes(flag));
  const guess = unknown === undefined ? undefined : nearest(unknown, known);
  return guess === undefined ? undefined : usageError(`unknown option '${unknown}'`, `did you mean ${guess}?`);
}

/** Known before the command line is parsed, because an error in it is told as JSON too. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).includes('--json');
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
