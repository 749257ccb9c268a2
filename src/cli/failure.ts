import { inspect } from 'node:util';
import type { CommanderError } from 'commander';
import { BlinkstreamError, messageOf } from '../records/index.js';
import { exitCodes } from './exit-codes.js';
import { styled, type Terminal } from './terminal.js';

/** A mistake in the command line. */
export const usageError = (message: string, hint?: string, cause?: unknown): BlinkstreamError =>
  new BlinkstreamError(message, {
    code: 'USAGE',
    class: 'user',
    stage: 'cli',
    exitCode: exitCodes.usage,
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  });

/** Turns what commander says about `name`'s command line into message and hint; help and version stay as they are. */
export function fromCommander(error: CommanderError, name: string): Error {
  if (error.exitCode === 0 || error.code === 'commander.help') return error;
  const [, message, guess, reason] =
    /^(?:error: )?(.*?)(?:\s*\((Did you mean .*)\))?(?:(?<=is invalid)\. (.*))?$/s.exec(error.message) ?? [];
  return usageError(
    (message ?? error.message).replace(/\.$/, ''),
    guess?.replace(/^D/, 'd') ?? reason ?? `see ${name} --help`,
    error,
  );
}

/** Tells on one line what went wrong, and what to do; the exit code that goes with it. */
export function report(thrown: unknown, terminal: Terminal, options: { json: boolean; debug: boolean }): number {
  const { code, exitCode, message, hint } = describe(thrown);
  if (options.json) terminal.json(JSON.stringify({ error: { code, message, hint, exitCode } }));
  else
    terminal.line(styled('red', 'error:'), ` ${message}`, ...(hint === undefined ? [] : [styled('dim', ` — ${hint}`)]));
  if (options.debug) for (const line of inspect(thrown, { depth: 4 }).split('\n')) terminal.line(line);
  return exitCode;
}

function describe(thrown: unknown): { code: string; exitCode: number; message: string; hint?: string } {
  const code = thrown instanceof BlinkstreamError ? thrown.code : 'INTERNAL';
  if (thrown instanceof BlinkstreamError && thrown.class !== 'internal') {
    const { message, hint, exitCode } = thrown;
    return { code, exitCode, message, ...(hint !== undefined && { hint }) };
  }
  return {
    code,
    exitCode: exitCodes.internal,
    message: `internal error ${code}: ${messageOf(thrown)}`,
    hint: 'run it again with BLINKSTREAM_DEBUG=1 for the details, and report it with them',
  };
}

/** Of a change that an output folder does not hold. */
export const changeUnknown = (dir: string, changeId: string): BlinkstreamError =>
  new BlinkstreamError(`${dir} has no change ${changeId}`, {
    code: 'CHANGE_NOT_FOUND',
    class: 'user',
    stage: 'cli',
    hint: `blinkstream inspect ${dir} lists those that it has.`,
  });
