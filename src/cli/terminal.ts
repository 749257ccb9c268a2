import type { Writable } from 'node:stream';
import pc from 'picocolors';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** A piece of a line: plain, or in a style where the terminal has colours. */
export type Span = string | { readonly text: string; readonly style: Style };

export const styled = (style: Style, text: string): Span => ({ text, style });

/** Standard output or error, or whatever stands for it in a test. */
export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What would move the cursor, colour, reorder or break a line: sentences and file names may come from anyone. */
const unprintable = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** `text` with its control characters told instead of done: `\u001b`. */
export const printable = (text: string): string => text.replace(unprintable, (char) => shortEscapes[char] ?? hex(char));

const hex = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** One stream of lines. Every text is made printable here, so that no caller can forget it. */
export class Terminal {
  readonly #colors: ReturnType<typeof pc.createColors>;
  #isClosed = false;

  constructor(
    private readonly stream: TerminalStream,
    private readonly status: StatusLine,
    private readonly env: NodeJS.ProcessEnv,
    private readonly hide: (text: string) => string = (text) => text,
  ) {
    this.#colors = pc.createColors(wantsColor(stream, env));
  }

  /** The same stream, with lines that `hide` has been over. */
  hiding(hide: (text: string) => string): Terminal {
    return new Terminal(this.stream, this.status, this.env, hide);
  }

  line(...spans: readonly Span[]): void {
    this.#write(spans.map((span) => this.#render(span)).join(''));
  }

  /** One line of JSON, given as text. What a terminal would act on is escaped, which leaves the value as it is. */
  json(text: string): void {
    this.#write(printable(text));
  }

  /** Waits until everything written is out of our hands; false where nobody takes it any more. */
  flush(): Promise<boolean> {
    return new Promise((resolve) => this.stream.write('', (error) => resolve(!error && !this.#isClosed)));
  }

  #write(line: string): void {
    const written = (error: Error | null | undefined) => (this.#isClosed ||= Boolean(error));
    const write = () => this.stream.write(`${line}\n`, written);
    // Only a terminal shows the status line on the same screen.
    if (this.stream.isTTY) this.status.aside(write);
    else write();
  }

  #render(span: Span): string {
    if (typeof span === 'string') return printable(this.hide(span));
    return this.#colors[span.style](printable(this.hide(span.text)));
  }
}

/** https://no-color.org */
function wantsColor(stream: TerminalStream, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  return stream.isTTY === true && env.TERM !== 'dumb';
}

const eraseLine = '\r\u001b[2K';

/** One line at the foot of a terminal that is written over again and again; nothing at all in a pipe. */
export class StatusLine {
  #shown = '';

  constructor(private readonly stream: TerminalStream) {}

  get visible(): boolean {
    return this.stream.isTTY === true;
  }

  /** Cut to the terminal's width: a line that wraps could not be written over. */
  show(text: string): void {
    if (!this.visible) return;
    this.#shown = printable(text).slice(0, Math.max(0, (this.stream.columns ?? 80) - 1));
    this.stream.write(eraseLine + this.#shown);
  }

  clear(): void {
    if (this.#shown === '') return;
    this.#shown = '';
    this.stream.write(eraseLine);
  }

  /** Runs `write` while the line is out of the way. */
  aside(write: () => void): void {
    if (this.#shown !== '') this.stream.write(eraseLine);
    write();
    if (this.#shown !== '') this.stream.write(this.#shown);
  }
}
