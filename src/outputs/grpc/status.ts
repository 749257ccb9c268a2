import { type Metadata, status as Status } from '@grpc/grpc-js';
import { BlinkstreamError, type ErrorClass, messageOf } from '../../records/index.js';

/** Trailer with the earliest cursor that can still be read, beside `OUT_OF_RANGE`. */
export const earliestCursorKey = 'blinkstream-earliest-cursor-bin';

/** What a call ends with. */
export interface CallStatus {
  readonly code: Status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** An error on its way to the client; `emit` and callbacks of grpc-js take it as it is. */
export class StatusError extends Error implements CallStatus {
  readonly details: string;

  constructor(
    readonly code: Status,
    details: string,
  ) {
    super(details);
    this.details = details;
  }
}

const codes: Readonly<Record<string, Status>> = {
  CURSOR_INVALID: Status.INVALID_ARGUMENT,
  CURSOR_EXPIRED: Status.OUT_OF_RANGE,
};

const classes: Readonly<Record<ErrorClass, Status>> = {
  user: Status.INVALID_ARGUMENT,
  data: Status.DATA_LOSS,
  external: Status.UNAVAILABLE,
  resource: Status.RESOURCE_EXHAUSTED,
  internal: Status.INTERNAL,
};

/** What a client is told of an error: one line with what to do. Other errors than ours say nothing of our insides. */
export function statusOf(thrown: unknown): CallStatus {
  if (thrown instanceof StatusError) return thrown;
  if (!(thrown instanceof BlinkstreamError)) {
    return { code: Status.INTERNAL, details: 'internal error of the server; see its log' };
  }
  const details = [messageOf(thrown), thrown.hint].filter((part) => part !== undefined).join(' — ');
  return { code: codes[thrown.code] ?? classes[thrown.class], details };
}
