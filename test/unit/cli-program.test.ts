import { describe, expect, test } from 'vitest';
import type { Act } from '../../src/cli/command.js';
import { diagnose } from '../../src/cli/doctor.js';
import { report } from '../../src/cli/failure.js';
import { StatusLine, Terminal } from '../../src/cli/terminal.js';
import type { WatchOptions } from '../../src/cli/watch-options.js';
import { watchCommand } from '../../src/cli/watch.js';
import { BlinkstreamError } from '../../src/records/index.js';
import { keptStream } from '../support/streams.js';

function reported(thrown: unknown, options: { json?: boolean; debug?: boolean } = {}) {
  const stream = keptStream('pipe');
  const terminal = new Terminal(stream, new StatusLine(stream), {});
  const exitCode = report(thrown, terminal, { json: false, debug: false, ...options });
  return { exitCode, text: stream.text() };
}

describe('report', () => {
  const full = new BlinkstreamError('disk\nfull', {
    code: 'LOG_FULL',
    class: 'resource',
    stage: 'log',
    hint: 'Free some.',
  });

  test('tells an error on one line with what to do', () => {
    expect(reported(full)).toEqual({ exitCode: 4, text: 'error: disk\\nfull — Free some.\n' });
  });

  test('tells it as one line of JSON', () => {
    const { text } = reported(full, { json: true });
    expect(JSON.parse(text)).toEqual({
      error: { code: 'LOG_FULL', message: 'disk\nfull', hint: 'Free some.', exitCode: 4 },
    });
  });

  test.each([
    [new TypeError('x is not a function'), 'INTERNAL: x is not a function'],
    [new BlinkstreamError('lost count', { code: 'COUNT', class: 'internal', stage: 'gate' }), 'COUNT: lost count'],
    ['a text', 'INTERNAL: a text'],
  ])('an internal error ends with 70 and names its code: %s', (thrown, told) => {
    const { exitCode, text } = reported(thrown);
    expect(exitCode).toBe(70);
    expect(text.split('\n')).toHaveLength(2);
    expect(text).toContain(`error: internal error ${told} — `);
    expect(text).toContain('BLINKSTREAM_DEBUG=1');
  });

  test('tells the stack and the cause where the details are asked for', () => {
    const thrown = new Error('outer', { cause: new Error('inner') });
    const { text } = reported(thrown, { debug: true });
    expect(text).toContain('cli-program.test');
    expect(text).toContain('inner');
  });
});

describe('diagnose', () => {
  const check = (find: () => string, needed = true) => ({ name: 'thing', needed, remedy: 'get it', find });
  const failing = (hint?: string) => (): string => {
    throw new BlinkstreamError('no thing', { code: 'NONE', class: 'external', stage: 'cli', ...(hint && { hint }) });
  };

  test.each([
    ['there', check(() => '1.2.3'), { status: 'ok', detail: '1.2.3' }],
    ['needed and not there', check(failing()), { status: 'missing', detail: 'no thing', remedy: 'get it' }],
    ['optional and not there', check(failing(), false), { status: 'absent', detail: 'no thing', remedy: 'get it' }],
    ['told how to get it', check(failing('look here')), { status: 'missing', detail: 'no thing', remedy: 'look here' }],
  ])('%s', async (_, given, diagnosis) => {
    expect(await diagnose(given, {})).toEqual({ name: 'thing', needed: given.needed, ...diagnosis });
  });
});

describe('watch', () => {
  /** The options that the command would run with. */
  async function parsed(...args: string[]): Promise<WatchOptions> {
    let seen: WatchOptions | undefined;
    const act: Act =
      () =>
      (...given) => {
        const [input, options] = given as [string, Omit<WatchOptions, 'input'>];
        seen = { ...options, input };
        return Promise.resolve();
      };
    const command = watchCommand(act)
      .exitOverride()
      .configureOutput({ outputError: () => undefined });
    await command.parseAsync(args, { from: 'user' });
    if (seen === undefined) throw new Error('watch did not run');
    return seen;
  }

  test('needs an input and a folder, all else has defaults', async () => {
    expect(await parsed('clip.mp4', '--out', 'out')).toEqual({
      input: 'clip.mp4',
      out: 'out',
      reasoner: 'measured',
      workerAddress: [],
    });
    await expect(parsed('clip.mp4')).rejects.toThrow(/--out/);
    await expect(parsed('--out', 'out')).rejects.toThrow(/input/);
  });

  test('takes every option', async () => {
    const options = ['--name', 'yard', '--interval', '60000', '--listen', '127.0.0.1:0', '--fail-on-change'];
    const workers = ['--worker-address', '127.0.0.1:7001', '--worker-address', 'unix:/w'];
    expect(await parsed('shots', '--out', 'out', ...options, ...workers, '--keep-serving')).toMatchObject({
      name: 'yard',
      interval: 60_000,
      listen: '127.0.0.1:0',
      failOnChange: true,
      keepServing: true,
      workerAddress: ['127.0.0.1:7001', 'unix:/w'],
    });
  });

  test.each([
    [['--interval', '0'], /whole number from 1/],
    [['--workers', '1.5'], /whole number from 1 to 256/],
    [['--name', ''], /empty/],
    [['--reasoner', 'mesured'], /did you mean measured\?/],
    [['--workers', '2', '--worker-address', 'unix:/w'], /cannot be used with/],
  ])('refuses %j', async (args, message) => {
    await expect(parsed('clip.mp4', '--out', 'out', ...args)).rejects.toThrow(message);
  });
});
