import { z } from 'zod';
import { nearest } from '../../records/nearest.js';
import type { Mistake, ValuePath, YamlText } from './text.js';

/**
 * Everything about `text` that `schema` does not accept, each with its place and, where one was likely meant, the
 * nearest valid name. `resolved` is the value of `text` with what it refers to; messages show what is written instead.
 */
export function mistakesIn<T>(
  text: YamlText,
  schema: z.ZodType<T>,
  resolved: unknown = text.value,
): { value: T } | { mistakes: Mistake[] } {
  const value = text.value;
  const keysAt = new Map<string, readonly string[]>();
  const parsed = schema.safeParse(resolved, {
    error: (issue) => {
      // The keys that an object does have are not in the issue that is given back.
      if (issue.code === 'unrecognized_keys') keysAt.set(pathText(pathOf(issue.path)), keysOf(issue.inst));
      return undefined;
    },
  });
  if (parsed.success) return { value: parsed.data };
  return {
    mistakes: parsed.error.issues.flatMap((issue) => {
      const path = pathOf(issue.path);
      if (issue.code === 'unrecognized_keys') {
        const known = keysAt.get(pathText(path)) ?? [];
        return issue.keys.map((key) => text.mistake([...path, key], unknownKey(key, path, known), 'key'));
      }
      return [text.mistake(path, words(issue, path, valueAt(value, path)))];
    }),
  };
}

/** `sources[2].input`; empty for the root. */
export const pathText = (path: ValuePath): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');

/** `"yrad" is no source; did you mean "yard"?` */
export const notAmong = (word: unknown, what: string, candidates: readonly string[]): string => {
  const guess = typeof word === 'string' ? nearest(word, candidates) : undefined;
  const told = `${JSON.stringify(word)} is ${what}`;
  if (guess !== undefined) return `${told}; did you mean ${JSON.stringify(guess)}?`;
  return candidates.length === 0
    ? told
    : `${told}; there ${candidates.length === 1 ? 'is' : 'are'} ${list(candidates)}`;
};

function words(issue: z.core.$ZodIssue, path: ValuePath, value: unknown): string {
  const where = pathText(path) || 'the file';
  if (value === undefined && path.length > 0) {
    const options = choicesOf(issue);
    return `${where} is missing${options.length > 0 ? `: one of ${list(options)}` : ''}`;
  }
  switch (issue.code) {
    case 'invalid_union':
      return notAmong(value, `no ${where}`, choicesOf(issue));
    case 'invalid_value':
      return notAmong(value, `no ${where}`, issue.values.map(String));
    case 'invalid_type':
      return `${where} must be ${kinds[issue.expected] ?? issue.expected}, and is ${kindOf(value)}`;
    case 'too_small':
      if (typeof value === 'number') return `${where} must be at least ${issue.minimum}`;
      return Number(issue.minimum) > 1
        ? `${where} must have at least ${issue.minimum} entries`
        : `${where} must not be empty`;
    case 'too_big':
      return `${where} must ${typeof value === 'number' ? 'be' : 'have'} at most ${issue.maximum}`;
    default:
      return `${where}: ${issue.message}`;
  }
}

function unknownKey(key: string, path: ValuePath, known: readonly string[]): string {
  const where = path.length === 0 ? 'at the top' : `in ${pathText(path)}`;
  const guess = nearest(key, known);
  return `there is no ${JSON.stringify(key)} ${where}; ${guess === undefined ? `there is ${list(known)}` : `did you mean ${JSON.stringify(guess)}?`}`;
}

const kinds: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

const kindOf = (value: unknown): string => {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a whole number' : 'a fraction';
  return kinds[typeof value] ?? typeof value;
};

/** What may stand in the field that says which kind it is. */
const choicesOf = (issue: object): string[] =>
  'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];

const list = (words: readonly string[]): string => words.join(', ');

const pathOf = (path: readonly PropertyKey[] | undefined): (string | number)[] =>
  (path ?? []).map((step) => (typeof step === 'number' ? step : String(step)));

const valueAt = (value: unknown, path: ValuePath): unknown =>
  path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[step] : undefined),
    value,
  );

const keysOf = (schema: unknown): string[] => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []);
