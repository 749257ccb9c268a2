import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printable, StatusLine, styled, Terminal } from '../../src/cli/terminal.js';
import { keptStream, shown } from '../support/streams.js';

const escape = '\u001b';

function terminalOf(kind: 'terminal' | 'pipe', env: NodeJS.ProcessEnv = {}) {
  const stream = keptStream(kind);
  const status = new StatusLine(stream);
  return { stream, status, terminal: new Terminal(stream, status, env) };
}

describe('printable', () => {
  test('tells control characters, line breaks and changes of direction instead of doing them', () => {
    expect(printable(`a\nb\r\tc${escape}[2J\u009b1m\u202ed\u2028e\u007f`)).toBe(
      'a\\nb\\r\\tc\\u001b[2J\\u009b1m\\u202ed\\u2028e\\u007f',
    );
  });

  test('leaves all else as it is', () => {
    expect(printable('Zwei Flaschen – 瓶が消えた 👩‍🔬 \\n')).toBe('Zwei Flaschen – 瓶が消えた 👩‍🔬 \\n');
  });

  test('gives one line without control characters, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
      }),
    );
  });
});

describe('Terminal', () => {
  test('escapes styled text as well as plain', () => {
    const { stream, terminal } = terminalOf('pipe');
    terminal.line(styled('bold', `yard${escape}c`), ': ', 'gone\nfor good');
    expect(stream.text()).toBe('yard\\u001bc: gone\\nfor good\n');
  });

  test.each([
    ['a terminal', 'terminal', {}, true],
    ['a pipe', 'pipe', {}, false],
    ['a terminal under NO_COLOR', 'terminal', { NO_COLOR: '1' }, false],
    ['a terminal under an empty NO_COLOR', 'terminal', { NO_COLOR: '' }, true],
    ['a dumb terminal', 'terminal', { TERM: 'dumb' }, false],
  ] as const)('on %s: colours as they should be', (_, kind, env, colored) => {
    const { stream, terminal } = terminalOf(kind, env);
    terminal.line(styled('red', 'error'));
    expect(stream.text().includes(escape)).toBe(colored);
  });

  test('escapes inside JSON without changing the value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const { stream, terminal } = terminalOf('pipe');
        terminal.json(JSON.stringify({ value }));
        expect(stream.text().slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
        expect(JSON.parse(stream.text())).toEqual({ value });
      }),
    );
  });

  test('tells when nobody takes its lines any more', async () => {
    const { stream, terminal } = terminalOf('pipe');
    stream.on('error', () => undefined);
    terminal.line('one');
    expect(await terminal.flush()).toBe(true);
    stream.destroy();
    terminal.line('two');
    expect(await terminal.flush()).toBe(false);
    expect(stream.text()).toBe('one\n');
  });
});

describe('StatusLine', () => {
  test('stays below the lines that are written meanwhile', () => {
    const { stream, status, terminal } = terminalOf('terminal');
    status.show('10 frames');
    terminal.line('A bottle has gone.');
    status.show('20 frames');
    expect(shown(stream.text())).toEqual(['A bottle has gone.', '20 frames']);
    status.clear();
    expect(shown(stream.text())).toEqual(['A bottle has gone.', '']);
  });

  test('is cut to the width of the terminal, and has no control characters', () => {
    const { stream, status } = terminalOf('terminal');
    status.show(`${escape}[2J${'x'.repeat(200)}`);
    const [line] = shown(stream.text());
    expect(line).toHaveLength(79);
    expect(line).toMatch(/^\\u001b\[2Jx+$/);
  });

  test('writes nothing at all to a pipe', () => {
    const { stream, status } = terminalOf('pipe');
    status.show('10 frames');
    status.clear();
    expect(stream.text()).toBe('');
  });
});
