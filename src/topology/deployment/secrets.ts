import { resolve } from 'node:path';
import { readAtMost } from '../../records/files.js';
import { BlinkstreamError, messageOf } from '../../records/index.js';
import { type Part, partsOf, type Reference } from './references.js';
import type { ValuePath } from './text.js';

/** Where references lead: variables, and the folder from which paths are taken. */
export interface SecretsFrom {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What a reference stands for, or why that cannot be had. */
type Found = { readonly value: string } | { readonly problem: string };

const maxBytes = 64 * 1024;
/** Values below this are no secrets, and would be found in every other word. */
const shortestHidden = 4;
/** Values below this are hidden only where they stand alone. */
const shortestInWords = 6;

/**
 * Reads what the texts in `value` refer to: `${env:NAME}`, the value of a variable, and `${file:PATH}`, all that a file
 * holds without the white space around it, 64 KiB at most. Never rejects: what is missing, `resolve` tells.
 */
export async function readSecrets(value: unknown, from: SecretsFrom): Promise<Secrets> {
  const found = new Map<string, Found>();
  for (const reference of referencesIn(value)) {
    if (!found.has(reference.written)) found.set(reference.written, await readSecret(reference, from));
  }
  return new Secrets(found);
}

/** The values that a deployment file refers to, which no message may show. */
export class Secrets {
  readonly #found: ReadonlyMap<string, Found>;
  /** Every spelling of a value, and what is shown in its place. */
  readonly #shown: ReadonlyMap<string, string>;
  readonly #pattern: RegExp;

  constructor(found: ReadonlyMap<string, Found> = new Map()) {
    this.#found = found;
    this.#shown = new Map(
      [...found].flatMap(([written, one]) =>
        'value' in one ? spellings(one.value).map((spelling) => [spelling, written] as const) : [],
      ),
    );
    // Longer ones first, because one may begin another.
    const hidden = [...this.#shown.keys()].sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(hidden.map(patternOf).join('|') || '(?!)', 'g');
  }

  /** `value` with what its texts refer to, and every reference that leads nowhere. */
  resolve(value: unknown): Resolved {
    const problems: Problem[] = [];
    const referring = new Set<string>();
    const visit = (at: unknown, path: ValuePath, above: readonly unknown[]): unknown => {
      if (typeof at === 'string') {
        const parts = partsOf(at);
        if (parts.some(isReference)) referring.add(keyOf(path));
        return parts.map((part) => this.#textOf(part, (message) => problems.push({ path, message }))).join('');
      }
      // An alias may stand inside of what it stands for.
      if (typeof at !== 'object' || at === null || above.includes(at)) return at;
      const within = [...above, at];
      if (Array.isArray(at)) return at.map((one, i) => visit(one, [...path, i], within));
      return Object.fromEntries(Object.entries(at).map(([key, one]) => [key, visit(one, [...path, key], within)]));
    };
    return { value: visit(value, [], []), problems, refers: (path) => referring.has(keyOf(path)) };
  }

  /** `text` with the references in the place of what they stand for. */
  hide(text: string): string {
    return text.replace(this.#pattern, (spelling) => this.#shown.get(spelling) ?? '…');
  }

  /** An error that shows none of the values, not in its causes either. */
  hideIn(thrown: unknown): unknown {
    if (this.#shown.size === 0 || !(thrown instanceof Error)) return thrown;
    const cause = thrown.cause === undefined ? {} : { cause: this.hideIn(thrown.cause) };
    const message = this.hide(thrown.message);
    const copy = thrown instanceof BlinkstreamError ? this.#copyOf(thrown, message, cause) : new Error(message, cause);
    copy.name = thrown.name;
    if (thrown.stack !== undefined) copy.stack = this.hide(thrown.stack);
    return copy;
  }

  #copyOf(error: BlinkstreamError, message: string, cause: { cause?: unknown }): BlinkstreamError {
    const { code, stage, hint, exitCode } = error;
    return new BlinkstreamError(message, {
      code,
      class: error.class,
      stage,
      ...(hint !== undefined && { hint: this.hide(hint) }),
      ...((exitCode === 2 || exitCode === 3 || exitCode === 4) && { exitCode }),
      ...cause,
    });
  }

  #textOf(part: Part, wrong: (message: string) => void): string {
    if (typeof part === 'string') return part;
    const found = isReference(part) ? (this.#found.get(part.written) ?? unread(part)) : part;
    if ('value' in found) return isReference(part) && part.encoded ? encodeURIComponent(found.value) : found.value;
    wrong(found.problem);
    return '';
  }
}

interface Problem {
  readonly path: ValuePath;
  readonly message: string;
}

/** A value out of a file, with what its texts refer to. */
export interface Resolved {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Whether the text there refers to anything. */
  readonly refers: (path: ValuePath) => boolean;
}

const isReference = (part: Part): part is Reference => typeof part === 'object' && 'kind' in part;

const keyOf = (path: ValuePath): string => JSON.stringify(path);

const unread = ({ written }: Reference): Found => ({ problem: `${written} was not read` });

function referencesIn(value: unknown, seen = new Set<object>()): Reference[] {
  if (typeof value === 'string') return partsOf(value).filter(isReference);
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  return Object.values(value).flatMap((one) => referencesIn(one, seen));
}

/** A single one; never rejects. */
export async function readSecret(
  { kind, name }: Pick<Reference, 'kind' | 'name'>,
  { folder, env }: SecretsFrom,
): Promise<Found> {
  if (kind === 'env') {
    const value = env[name];
    if (value === undefined) return { problem: `the variable ${name} is not set` };
    return value === '' ? { problem: `the variable ${name} is empty` } : { value };
  }
  const path = resolve(folder, name);
  let content: Buffer | undefined;
  try {
    content = await readAtMost(path, maxBytes);
  } catch (error) {
    return { problem: `the file ${path} cannot be read: ${messageOf(error).split(',', 1)[0]}` };
  }
  if (content === undefined) return { problem: `the file ${path} has more than ${maxBytes} bytes` };
  let value: string;
  try {
    value = new TextDecoder('utf-8', { fatal: true }).decode(content).trim();
  } catch {
    return { problem: `the file ${path} is not text` };
  }
  return value === '' ? { problem: `the file ${path} is empty` } : { value };
}

/** As a value stands in a message: as it is, quoted, or in a URL. */
const spellings = (value: string): string[] =>
  value.length < shortestHidden
    ? []
    : [...new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])];

function patternOf(spelling: string): string {
  const literal = spelling.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return spelling.length < shortestInWords ? `(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])` : literal;
}
