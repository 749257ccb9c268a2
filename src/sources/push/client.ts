import { randomUUID } from 'node:crypto';
import { type ServiceError, status as Status } from '@grpc/grpc-js';
import { type ClientAccess, clientAccess } from '../../grpc/client-access.js';
import type { ClientSecurity } from '../../grpc/index.js';
import type { OnCertificateUnusable } from '../../grpc/tls-files.js';
import { timeToProto } from '../../records/convert/time.js';
import {
  type Closed,
  Closed_Reason,
  FrameServiceClient,
  type PushResponse,
  type Refused,
} from '../../records/generated/blinkstream/v1/frame_service.js';
import { BlinkstreamError } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import { BackOff } from '../../records/back-off.js';
import type { Refusal } from './camera.js';
import { MAX_FRAME_BYTES } from './check-frame.js';
import { PushBuffer, type FrameToPush, type IdleToPush } from './push-buffer.js';

export interface PushFramesOptions {
  /** `127.0.0.1:50051` or `unix:PATH`. */
  readonly address: string;
  /** How the server is trusted, and who we are to it. Another host is always called by TLS. */
  readonly security?: ClientSecurity;
  /** Name of the camera in the deployment. */
  readonly source: string;
  /**
   * In the order of their sequence numbers. Read on as the buffer has room; sequence numbers are either all given,
   * ascending, or none: then they go on from the last one that the server knows.
   */
  readonly frames: AsyncIterable<FrameToPush | IdleToPush> | Iterable<FrameToPush | IdleToPush>;
  /** Who pushes; the same name takes over from a connection before. Default: a random one. */
  readonly client?: string;
  /**
   * Bytes of frames that are kept until they are durable; default 64 MiB. Windows close after some seconds, so that less
   * than they hold makes the camera wait for them.
   */
  readonly bufferBytes?: number;
  /** Ends it where it is. */
  readonly signal: AbortSignal;
  /** Everything up to that frame is durable. */
  readonly onAck?: (throughSequence: number) => void;
  readonly onRefused?: (refusal: Refusal) => void;
  /** Told before each new attempt. */
  readonly onRetry?: (retry: { readonly delayMs: number; readonly reason: string }) => void;
  readonly onCertificateUnusable?: OnCertificateUnusable;
}

/** Statuses that another attempt would only meet again. */
const final = new Set([
  Status.INVALID_ARGUMENT,
  Status.UNAUTHENTICATED,
  Status.PERMISSION_DENIED,
  Status.UNIMPLEMENTED,
]);

const channelOptions = {
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5_000,
};

type Call = ReturnType<FrameServiceClient['push']>;

/**
 * Pushes the frames of one camera, over any number of broken connections and restarts of the server: what is not durable
 * yet is kept and sent again, so that each frame is told once. Resolves when `frames` are at their end and each of them is
 * durable or refused.
 * @throws BlinkstreamError `CAMERA_UNKNOWN`, `CAMERA_PUSHED` (user) where the server has no such camera or another client
 * pushes it; `UNAUTHENTICATED`, `PUSH_REFUSED` (user) where another
 * attempt would not help; `PUSH_SEQUENCE` (user) for numbers that do not
 * ascend; as `clientAccess` and `handshakeProblem`; the signal's reason on abort; what `frames` throws
 */
export async function pushFrames(options: PushFramesOptions): Promise<void> {
  const { address, security = {}, signal, onCertificateUnusable } = options;
  const access = await clientAccess({ address, security, stage: 'source', credential: false, onCertificateUnusable });
  const buffer = new PushBuffer(options.bufferBytes ?? 64 * 1024 * 1024);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const pushing = new Pushing(options, buffer, access, either);
  const tooLarge = ({ sequence }: { readonly sequence: number }, bytes: number): void =>
    options.onRefused?.({
      source: options.source,
      sequence,
      reason: 'TOO_MANY_BYTES',
      problem: `it has ${bytes} bytes, more than ${MAX_FRAME_BYTES}`,
    });
  try {
    await Promise.all([buffer.fill(options.frames, either, { maxBytes: MAX_FRAME_BYTES, tooLarge }), pushing.run()]);
  } finally {
    stop.abort(new Error('it is over'));
  }
}

class Pushing {
  readonly #options: PushFramesOptions;
  readonly #buffer: PushBuffer;
  readonly #access: ClientAccess;
  readonly #signal: AbortSignal;
  readonly #name: string;
  /** By this connection's server. */
  #isAnswered = false;

  constructor(options: PushFramesOptions, buffer: PushBuffer, access: ClientAccess, signal: AbortSignal) {
    this.#options = options;
    this.#buffer = buffer;
    this.#access = access;
    this.#signal = signal;
    this.#name = options.client ?? randomUUID();
  }

  async run(): Promise<void> {
    const backOff = new BackOff();
    while (!this.#buffer.isDone) {
      this.#signal.throwIfAborted();
      this.#isAnswered = false;
      const reason = await this.#connection();
      if (this.#buffer.isDone) return;
      this.#signal.throwIfAborted();
      // A server that answers has come up again: what breaks next is another trouble.
      const delayMs = backOff.pauseMs(this.#isAnswered ? Infinity : 0);
      this.#options.onRetry?.({ delayMs, reason });
      await pauseFor(delayMs, this.#signal);
      this.#signal.throwIfAborted();
    }
  }

  /** One stream, to its end; why it ended. */
  async #connection(): Promise<string> {
    const { address } = this.#options;
    // A new one each time: certificates may have been renewed.
    const { credentials, options } = await this.#access.next();
    const client = new FrameServiceClient(address, credentials, { ...channelOptions, ...options });
    const call = client.push();
    const over = new AbortController();
    const cancel = (): void => call.cancel();
    this.#signal.addEventListener('abort', cancel, { once: true });
    // The loop below gets every error that matters; what comes later is the echo of our own `cancel`.
    call.on('error', () => undefined);
    this.#buffer.close();
    this.#open(call);
    const sending = this.#send(call, over.signal);
    try {
      for await (const response of call as AsyncIterable<PushResponse>) this.#take(call, response);
      return 'the server ended the stream';
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!isServiceError(error)) throw error;
      if (final.has(error.code)) throw refusedBy(address, error);
      const problem = error.code === Status.UNAVAILABLE ? await this.#access.problem() : undefined;
      this.#signal.throwIfAborted();
      if (problem) throw problem;
      return error.details;
    } finally {
      this.#signal.removeEventListener('abort', cancel);
      over.abort();
      this.#buffer.wake();
      await sending;
      call.cancel();
      client.close();
    }
  }

  async #send(call: Call, over: AbortSignal): Promise<void> {
    const { source } = this.#options;
    for (;;) {
      const item = await this.#buffer.next(over);
      if (over.aborted) return;
      if (item === undefined) return void call.end();
      const room =
        'picture' in item
          ? call.write({
              message: {
                $case: 'frame',
                value: {
                  source,
                  sequence: item.sequence,
                  eventTime: timeToProto(item.eventTimeMs, 'eventTimeMs'),
                  picture: Buffer.from(item.picture.buffer, item.picture.byteOffset, item.picture.byteLength),
                },
              },
            })
          : call.write({
              message: { $case: 'idle', value: { source, eventTime: timeToProto(item.idleUntilMs, 'idleUntilMs') } },
            });
      if (!room) await drained(call, over);
    }
  }

  #take(call: Call, { message }: PushResponse): void {
    this.#isAnswered = true;
    switch (message?.$case) {
      case 'opened':
        return this.#buffer.open(message.value.nextSequence);
      case 'ack':
        this.#buffer.forget(message.value.throughSequence);
        return this.#options.onAck?.(message.value.throughSequence);
      case 'refused':
        this.#buffer.drop(message.value.sequence);
        return this.#options.onRefused?.(refusalOf(message.value));
      case 'closed':
        if (message.value.reason !== Closed_Reason.INTERRUPTED) throw closedBy(message.value);
        this.#buffer.close();
        return this.#open(call);
      case undefined:
        // Something that a newer server tells.
        return;
    }
  }

  #open(call: Call): void {
    call.write({ message: { $case: 'open', value: { source: this.#options.source, client: this.#name } } });
  }
}

function drained(call: Call, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      call.off('drain', settle);
      over.removeEventListener('abort', settle);
      resolve();
    };
    call.on('drain', settle);
    over.addEventListener('abort', settle);
    if (over.aborted) settle();
  });
}

/** A reason of a newer server is told as it came. */
const refusalOf = (refused: Refused): Refusal => ({ ...refused, reason: refused.reason as Refusal['reason'] });

function closedBy({ source, reason, problem }: Closed): BlinkstreamError {
  const isUnknown = reason === Closed_Reason.UNKNOWN;
  return new BlinkstreamError(`${source} cannot be pushed: ${problem}`, {
    code: isUnknown ? 'CAMERA_UNKNOWN' : 'CAMERA_PUSHED',
    class: 'user',
    stage: 'source',
    hint: isUnknown
      ? 'declare it in the deployment file: { kind: push, name: … }'
      : 'end the other one, or give the camera of this one another name',
  });
}

const refusedBy = (address: string, error: ServiceError): BlinkstreamError =>
  new BlinkstreamError(`${address} refuses to be pushed to: ${error.details}`, {
    code: error.code === Status.UNAUTHENTICATED ? 'UNAUTHENTICATED' : 'PUSH_REFUSED',
    class: 'user',
    stage: 'source',
    ...(error.code === Status.UNAUTHENTICATED && { hint: 'Give the token, or the client certificate, that it wants.' }),
    cause: error,
  });

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
