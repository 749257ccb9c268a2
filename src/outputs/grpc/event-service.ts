import { Metadata, status as Status, type sendUnaryData, type ServerWritableStream } from '@grpc/grpc-js';
import type { ChangeLog, EventFilter } from '../../log/index.js';
import { changeEventToProto } from '../../records/convert/change.js';
import { ChangeEvent } from '../../records/generated/blinkstream/v1/change.js';
import type {
  EventServiceServer,
  GetChangeResponse,
  GetEvidenceRequest,
  GetEvidenceResponse,
  ListChangesRequest,
  ListChangesResponse,
  SubscribeRequest,
} from '../../records/generated/blinkstream/v1/events_service.js';
import { BlinkstreamError } from '../../records/index.js';
import { killPoint } from '../../records/kill-points.js';
import { afterPageToken, filterFromProto, pageTokenOf } from './filter.js';
import { PacedWriter } from './paced.js';
import { type CallStatus, earliestCursorKey, StatusError, statusOf } from './status.js';
import { entriesFor, type Subscriptions } from './subscription.js';
import { asBuffer, encodeEntry } from './wire.js';

const evidencePieceBytes = 256 * 1024;
const defaultPageSize = 100;
const maxPageSize = 1_000;
/** gRPC clients take 4 MiB a message by default; the rest is for the page token and framing. */
const maxPageBytes = 3 * 1024 * 1024;

export interface EventServiceOptions {
  readonly log: ChangeLog;
  /** A reader that takes nothing for this long is let go with `RESOURCE_EXHAUSTED`. */
  readonly stallTimeoutMs: number;
  /** Aborted with the `StatusError` that open streams end with at once. */
  readonly closing: AbortSignal;
  /** `finishing` is aborted with a `StatusError`. */
  readonly subscriptions: Subscriptions;
  /** A subscriber took nothing for `stallTimeoutMs` and was let go. */
  readonly onStalled?: (() => void) | undefined;
}

/** The service's handlers; its `subscribe` writes encoded responses. */
type EncodedEventService = Pick<EventServiceServer, 'listChanges' | 'getChange' | 'getEvidence'> & {
  subscribe(call: ServerWritableStream<SubscribeRequest, Buffer>): void;
};

/** The handlers of `blinkstream.v1.EventService`, which read nothing but the log. */
export function eventService(options: EventServiceOptions): EncodedEventService {
  const { log, stallTimeoutMs, closing, subscriptions, onStalled } = options;
  /** Runs a streaming handler to its end and sends how it ended; a cancelled call is told nothing any more. */
  function stream<Message>(
    call: ServerWritableStream<unknown, Message>,
    handle: (writer: PacedWriter<Message>, signal: AbortSignal) => Promise<void>,
    onError: (thrown: unknown) => Promise<CallStatus> = (thrown) => Promise.resolve(statusOf(thrown)),
  ): void {
    const cancelled = new AbortController();
    call.on('cancelled', () => cancelled.abort());
    const signal = AbortSignal.any([cancelled.signal, closing]);
    handle(new PacedWriter(call, stallTimeoutMs, signal), signal)
      // A reader of the log ends quietly on abort, and that is no end of the log.
      .then(() => signal.throwIfAborted())
      .then(
        () => call.end(),
        async (thrown: unknown) => {
          if (!cancelled.signal.aborted) call.emit('error', await onError(thrown));
        },
      )
      .catch((thrown: unknown) => call.emit('error', statusOf(thrown)));
  }

  function unary<Response>(callback: sendUnaryData<Response>, handle: () => Promise<Response>): void {
    handle().then(
      (response) => callback(null, response),
      (thrown: unknown) => callback(statusOf(thrown)),
    );
  }

  const withEarliest = async (thrown: unknown, filter: EventFilter): Promise<CallStatus> => {
    if (!(thrown instanceof BlinkstreamError) || thrown.code !== 'CURSOR_EXPIRED') return statusOf(thrown);
    const metadata = new Metadata();
    metadata.set(earliestCursorKey, asBuffer(await log.earliest(filter)));
    return { ...statusOf(thrown), metadata };
  };

  return {
    subscribe(call) {
      const { cursor, onlyNew, untilEnd } = call.request;
      stream(
        call,
        async (writer, signal) => {
          const filter = filterFromProto(call.request.filter);
          const start = onlyNew ? 'latest' : 'earliest';
          const from = cursor.length > 0 ? { cursor } : ({ start } as const);
          for await (const entry of entriesFor(log, { ...from, filter, untilEnd, signal }, subscriptions)) {
            await writer.write(encodeEntry(entry));
            if (entry.type === 'event') killPoint('publish');
          }
        },
        (thrown) => {
          if (thrown instanceof StatusError && thrown.code === Status.RESOURCE_EXHAUSTED) onStalled?.();
          return withEarliest(thrown, filterFromProto(call.request.filter));
        },
      );
    },

    listChanges({ request }, callback) {
      unary(callback, () => listChanges(log, request));
    },

    getChange({ request: { changeId } }, callback) {
      unary<GetChangeResponse>(callback, async () => {
        const events = await log.change(changeId);
        if (events.length === 0) {
          throw new StatusError(Status.NOT_FOUND, `no change ${changeId} — ListChanges names those that are kept`);
        }
        return { events: events.map(changeEventToProto) };
      });
    },

    getEvidence(call: ServerWritableStream<GetEvidenceRequest, GetEvidenceResponse>) {
      stream(call, async (writer) => {
        const { sha256 } = call.request;
        const blob = await log.blobs.get(sha256);
        if (blob === undefined) {
          throw new StatusError(Status.NOT_FOUND, `no evidence ${sha256} — it was never stored, or retention took it`);
        }
        const bytes = asBuffer(blob.bytes);
        // At least one piece, so that empty evidence has its media type too.
        for (let at = 0; at === 0 || at < bytes.length; at += evidencePieceBytes) {
          const data = bytes.subarray(at, at + evidencePieceBytes);
          await writer.write({ mediaType: at === 0 ? blob.mediaType : '', data });
        }
      });
    },
  };
}

/** One page: `page_size` changes, or fewer where they would not fit into a message. */
async function listChanges(log: ChangeLog, request: ListChangesRequest): Promise<ListChangesResponse> {
  const filter = filterFromProto(request.filter);
  const limit = request.pageSize === 0 ? defaultPageSize : request.pageSize;
  if (limit > maxPageSize) {
    throw new StatusError(Status.INVALID_ARGUMENT, `page_size is ${limit} — ask for ${maxPageSize} at most`);
  }
  const afterChangeId = afterPageToken(filter, request.pageToken);
  // One more than asked for tells whether there is another page.
  const found = await log.changes({ filter, limit: limit + 1, ...(afterChangeId !== undefined && { afterChangeId }) });
  const changes: ChangeEvent[] = [];
  let bytes = 0;
  for (const event of found.slice(0, limit)) {
    const change = changeEventToProto(event);
    bytes += ChangeEvent.encode(change).finish().byteLength;
    if (changes.length > 0 && bytes > maxPageBytes) break;
    changes.push(change);
  }
  const last = changes.at(-1);
  const more = last !== undefined && changes.length < found.length;
  return { changes, nextPageToken: more ? pageTokenOf(filter, last.changeId) : Buffer.alloc(0) };
}
