import { Timestamp } from '../generated/google/protobuf/timestamp.js';

/** What `google.protobuf.Timestamp` allows: 0001-01-01T00:00:00Z up to the end of 9999. */
const minSeconds = -62_135_596_800;
const maxSeconds = 253_402_300_799;

/**
 * Milliseconds since 1970, fractional where the source knows better, as a timestamp: exact to the nanosecond where a
 * double is (today's dates: to 0.25 µs). Nanos count forward, also before 1970.
 */
export function timeToProto(timeMs: number, field: string): Timestamp {
  // `%` is exact, a division by 1,000 is not: it may round up over a second's border.
  const restMs = timeMs % 1_000;
  const forwardMs = restMs < 0 ? restMs + 1_000 : restMs;
  const carried = Math.round(forwardMs * 1e6);
  const seconds = (timeMs - restMs) / 1_000 + (restMs < 0 ? -1 : 0) + (carried === 1e9 ? 1 : 0);
  if (!(seconds >= minSeconds && seconds <= maxSeconds)) {
    throw new Error(`${field} is ${timeMs} ms, not a time between the years 1 and 9999`);
  }
  // `+ 0` makes a plain zero of −0.
  return { seconds: seconds + 0, nanos: carried === 1e9 ? 0 : carried + 0 };
}

/** The same in milliseconds. */
export function timeFromProto({ seconds, nanos }: Timestamp, field: string): number {
  if (!(seconds >= minSeconds && seconds <= maxSeconds && nanos >= 0 && nanos < 1e9)) {
    throw new Error(`${field} is ${seconds} s and ${nanos} ns, which is no timestamp`);
  }
  return seconds * 1_000 + nanos / 1e6;
}

/** RFC 3339 in UTC with as many of 0, 3, 6 or 9 digits of the second as it needs. */
export const timeToJson = (time: Timestamp): string => String(Timestamp.toJSON(time));
