import { BlinkstreamError, messageOf, type Stage } from '../errors.js';

/**
 * Runs a conversion to or from `message`; whatever is wrong with what it is given ends as one kind of error.
 * @throws BlinkstreamError `PROTO_INVALID` (data)
 */
export function converting<T>(message: string, stage: Stage, convert: () => T): T {
  try {
    return convert();
  } catch (cause) {
    throw new BlinkstreamError(`not a valid ${message}: ${messageOf(cause)}`, {
      code: 'PROTO_INVALID',
      class: 'data',
      stage,
      hint: 'Check that both sides run the same version of Blinkstream.',
      cause,
    });
  }
}

/** A message field that must be there. */
export function present<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new Error(`${field} is missing`);
  return value;
}

/** A string that must not be empty: proto3 does not tell an empty one from none. */
export function named(value: string, field: string): string {
  if (value === '') throw new Error(`${field} is missing`);
  return value;
}

export function finite(value: number, field: string): number {
  if (!Number.isFinite(value)) throw new Error(`${field} is ${value}, not a finite number`);
  return value;
}

/** A count that fits the field: `uint32` up to 2^32 − 1, `uint64` up to 2^53 − 1, beyond which doubles skip integers. */
export function count(value: number, field: string, type: 'uint32' | 'uint64' = 'uint64'): number {
  if (!Number.isSafeInteger(value) || value < 0 || (type === 'uint32' && value > 0xffff_ffff)) {
    throw new Error(`${field} is ${value}, not a ${type}`);
  }
  return value;
}

/** A value of a closed list; `…_UNSPECIFIED` and whatever a newer version knows are refused. */
export function oneOf<T extends string>(values: readonly T[], value: string, field: string): T {
  const known = values.find((candidate) => candidate === value);
  if (known === undefined) throw new Error(`${field} is ${value}, not one of ${values.join(', ')}`);
  return known;
}
