/** To what round trips promise times: half a microsecond of rounding, and the double's own step. */
const TIME_STEP_MS = 0.001;

/**
 * A copy of `received` in which every `timeMs` that lies within a microsecond of the one in its place in `expected` is
 * that one. Rounding both would set values apart that lie on two sides of a half.
 */
export function withTimesOf<T>(received: T, expected: T): T {
  if (typeof received !== 'object' || received === null || typeof expected !== 'object' || expected === null) {
    return received;
  }
  if (Array.isArray(received)) {
    return received.map((item: unknown, i) => withTimesOf(item, (expected as unknown[])[i])) as T;
  }
  const own = Object.entries(received).map(([key, value]: [string, unknown]) => {
    const other = (expected as Record<string, unknown>)[key];
    if (key === 'timeMs' && typeof value === 'number' && typeof other === 'number') {
      return [key, Math.abs(value - other) <= TIME_STEP_MS ? other : value];
    }
    return [key, withTimesOf(value, other)];
  });
  return Object.fromEntries(own) as T;
}
