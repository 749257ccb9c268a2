import { InvalidArgumentError, Option } from 'commander';
import { nearest } from '../records/nearest.js';

/** A parser of whole numbers. */
export const wholeNumber =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(
      max === Number.MAX_SAFE_INTEGER ? `give a whole number from ${min}` : `give a whole number from ${min} to ${max}`,
    );
  };

/** A parser of one of `values`, whatever its case. */
export const oneOf =
  <T extends string>(values: readonly T[]) =>
  (text: string): T => {
    const found = values.find((value) => value.toLowerCase() === text.toLowerCase());
    if (found !== undefined) return found;
    const guess = nearest(text, values);
    throw new InvalidArgumentError(guess === undefined ? `give one of ${values.join(', ')}` : `did you mean ${guess}?`);
  };

/** An option that may be given several times; its value is the list of all, empty without it. */
export function repeatable<T>(flags: string, description: string, parse: (text: string) => T): Option {
  return new Option(flags, `${description}; may be given several times`)
    .default([], 'none')
    .argParser((text, before: readonly T[]) => [...before, parse(text)]);
}

/** For options and arguments whose every text is a value, except none at all. */
export function text(value: string): string {
  if (value !== '') return value;
  throw new InvalidArgumentError('it is empty');
}
