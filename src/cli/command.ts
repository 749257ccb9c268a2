import { Command } from 'commander';
import type { ExitCode } from './exit-codes.js';
import type { Progress } from './progress.js';
import type { Terminal } from './terminal.js';

/** What a command works with besides its arguments. */
export interface CommandIo {
  /** Results: standard output. */
  readonly out: Terminal;
  /** Notes to the person: standard error. */
  readonly notes: Terminal;
  readonly progress: Progress;
  /** Results are asked for as JSON, one value a line. */
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts when the process is asked to stop or nobody reads its output any more: drain, then return. */
  readonly signal: AbortSignal;
}

/** Makes the handler that commander calls out of a command's action, whose last argument is its options. */
export type Act = <A extends readonly unknown[]>(
  action: (io: CommandIo, ...args: A) => Promise<ExitCode>,
) => (...args: unknown[]) => Promise<void>;

/** A command of the command line; `program.ts` lists them. */
export type CommandFactory = (act: Act) => Command;

export interface Description {
  readonly summary: string;
  /** What it does in more words, where the summary does not say it all. */
  readonly details?: string;
  /** Whole command lines. */
  readonly examples: readonly string[];
}

/** A command with examples in its help. */
export function newCommand(name: string, { summary, details, examples }: Description): Command {
  return new Command(name)
    .summary(summary)
    .description(details === undefined ? `${summary}.` : `${summary}. ${details}`)
    .addHelpText(
      'after',
      `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${examples.map((line) => `  $ ${line}`).join('\n')}`,
    );
}
