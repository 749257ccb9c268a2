/** A copy in which every `timeMs` is rounded to the microsecond, to which round trips promise it. */
export const toMicroseconds = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value), (key, inner: unknown) =>
    key === 'timeMs' && typeof inner === 'number' ? Math.round(inner * 1e3) / 1e3 + 0 : inner,
  ) as T;
