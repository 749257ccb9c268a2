import { type ServiceError, status as Status } from '@grpc/grpc-js';
import { clientAccess } from '../../grpc/client-access.js';
import type { ClientSecurity } from '../../grpc/index.js';
import type { OnCertificateUnusable } from '../../grpc/tls-files.js';
import type { Cursor, EventFilter } from '../../log/index.js';
import { changeEventFromProto } from '../../records/convert/change.js';
import {
  EventServiceClient,
  type SubscribeRequest,
  type SubscribeResponse,
} from '../../records/generated/blinkstream/v1/events_service.js';
import { BlinkstreamError, type ChangeEvent, messageOf } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import { filterToProto } from './filter.js';
import { earliestCursorKey } from './status.js';
import { asBuffer } from './wire.js';

export interface SubscribeOptions {
  /** `127.0.0.1:50051` or `unix:PATH`. */
  readonly address: string;
  /** TLS is needed where that is another host. */
  readonly security?: ClientSecurity;
  /** Go on after this; wins over `onlyNew`. */
  readonly cursor?: Cursor;
  readonly filter?: EventFilter;
  /** Only what is committed from now on. */
  readonly onlyNew?: boolean;
  /** End at the log's end instead of waiting for more. */
  readonly untilEnd?: boolean;
  /** Ends the subscription quietly. */
  readonly signal: AbortSignal;
  /** Told before each new attempt, so that a person can be told. */
  readonly onRetry?: (retry: { readonly attempt: number; readonly delayMs: number; readonly reason: string }) => void;
  readonly onCertificateUnusable?: OnCertificateUnusable;
}

/** An event, or word that there was none up to the cursor. Both can be gone on from. */
export type Subscribed =
  | { readonly cursor: Cursor; readonly event: ChangeEvent }
  | { readonly cursor: Cursor; readonly progress: { readonly caughtUp: boolean } };

/** Statuses that another attempt would only meet again. */
const final: ReadonlyMap<Status, string> = new Map([
  [Status.INVALID_ARGUMENT, 'SUBSCRIPTION_INVALID'],
  [Status.OUT_OF_RANGE, 'CURSOR_EXPIRED'],
  [Status.UNAUTHENTICATED, 'UNAUTHENTICATED'],
  [Status.PERMISSION_DENIED, 'PERMISSION_DENIED'],
  [Status.UNIMPLEMENTED, 'UNIMPLEMENTED'],
  [Status.DATA_LOSS, 'DATA_LOSS'],
]);

const firstDelayMs = 100;
const maxDelayMs = 5_000;

const channelOptions = {
  // A server whose host has gone says nothing: ask it now and then.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // The default of 4 MiB would refuse an event with a very long path, again at every attempt.
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.initial_reconnect_backoff_ms': firstDelayMs,
  'grpc.max_reconnect_backoff_ms': maxDelayMs,
};

/**
 * Events of a server in the log's order, each once, over any number of broken connections: after each it goes on from
 * the last cursor that it gave. Pulled: a slow consumer slows the stream and nothing piles up.
 * Waits between attempts twice as long each time, up to 5 s, with jitter; a response begins anew.
 * @throws BlinkstreamError (user) where another attempt would not help: `CURSOR_EXPIRED`, `SUBSCRIPTION_INVALID`,
 *   `UNAUTHENTICATED`, `PERMISSION_DENIED`, `UNIMPLEMENTED`, `DATA_LOSS`, and as `clientAccess` and `handshakeProblem`;
 *   `PROTO_INVALID` (data) for an event that this version cannot read
 */
export async function* subscribeEvents(options: SubscribeOptions): AsyncGenerator<Subscribed, void, undefined> {
  const { address, signal, security = {}, untilEnd = false, onCertificateUnusable } = options;
  const access = await clientAccess({ address, security, stage: 'output', credential: false, onCertificateUnusable });
  let cursor = options.cursor;
  let attempt = 0;
  while (!signal.aborted) {
    let reason = 'the server ended the stream';
    // A new one each time: certificates may have been renewed.
    const { credentials, options: accessOptions } = await access.next();
    const client = new EventServiceClient(address, credentials, { ...channelOptions, ...accessOptions });
    const call = client.subscribe(requestOf(options, cursor));
    const cancel = () => call.cancel();
    signal.addEventListener('abort', cancel);
    // The loop below gets every error that matters. What comes after it is the echo of our own `cancel`, which
    // without a listener would end the process.
    call.on('error', () => undefined);
    try {
      for await (const response of call as AsyncIterable<SubscribeResponse>) {
        attempt = 0;
        ({ cursor } = response);
        yield subscribed(response);
      }
      if (untilEnd) return;
    } catch (error) {
      if (signal.aborted) return;
      if (!isServiceError(error)) throw error;
      if (final.has(error.code)) throw refused(address, error);
      const problem = error.code === Status.UNAVAILABLE ? await access.problem() : undefined;
      if (signal.aborted) return;
      if (problem) throw problem;
      reason = error.details;
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
      client.close();
    }
    attempt += 1;
    const delayMs = delayBefore(attempt);
    options.onRetry?.({ attempt, delayMs, reason });
    await pauseFor(delayMs, signal);
  }
}

const requestOf = ({ filter, onlyNew, untilEnd }: SubscribeOptions, cursor: Cursor | undefined): SubscribeRequest => ({
  cursor: cursor ? asBuffer(cursor) : Buffer.alloc(0),
  filter: filter && filterToProto(filter),
  onlyNew: onlyNew ?? false,
  untilEnd: untilEnd ?? false,
});

function subscribed({ cursor, message }: SubscribeResponse): Subscribed {
  switch (message?.$case) {
    case 'event':
      return { cursor, event: changeEventFromProto(message.value) };
    case 'progress':
      return { cursor, progress: { caughtUp: message.value.caughtUp } };
    case undefined:
      // Something that a newer server tells; its cursor is all that we can use.
      return { cursor, progress: { caughtUp: false } };
  }
}

/** Between half and all of the doubled delay, so that clients that were cut off together do not come back together. */
function delayBefore(attempt: number): number {
  const upToMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
  return Math.round(upToMs * (0.5 + Math.random() / 2));
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;

function refused(address: string, error: ServiceError): BlinkstreamError {
  const [earliest] = error.metadata.get(earliestCursorKey);
  const hint = Buffer.isBuffer(earliest)
    ? `Subscribe without a cursor, or from the earliest kept: ${earliest.toString('base64url')}.`
    : error.code === Status.UNAUTHENTICATED
      ? 'Give the token that the server was started with.'
      : undefined;
  return new BlinkstreamError(`${address} refuses the subscription: ${error.details || messageOf(error)}`, {
    code: final.get(error.code) ?? 'SUBSCRIPTION_INVALID',
    class: 'user',
    stage: 'output',
    ...(hint && { hint }),
    cause: error,
  });
}
