import { type ServerDuplexStream, type ServerInterceptor, status as Status } from '@grpc/grpc-js';
import {
  Closed_Reason,
  type FrameServiceServer,
  FrameServiceService,
  type PushedFrame,
  type PushRequest,
  type PushResponse,
  Refused_Reason,
} from '../../records/generated/blinkstream/v1/frame_service.js';
import type { Pusher, Refusal } from './camera.js';
import { checkFrame, MAX_FRAME_BYTES } from './check-frame.js';
import type { PushHub } from './hub.js';
import { dealtWith, pacedReading } from './paced-reading.js';
import { Replies } from './replies.js';

/** Each may hold two messages of `MAX_FRAME_BYTES`: one that is dealt with, and one that arrives. */
const MAX_STREAMS = 64;

type PushCall = ServerDuplexStream<PushRequest, PushResponse>;

/** `blinkstream.v1.FrameService`, as a gRPC server takes it. */
export interface FrameService {
  readonly name: string;
  readonly definition: typeof FrameServiceService;
  readonly interceptor: ServerInterceptor;
  /** A larger frame is refused as long as it fits into this; beyond, the stream ends. */
  readonly maxMessageBytes: number;
  /** @param closing aborts when the server closes */
  handlers(closing: AbortSignal): FrameServiceServer;
}

export interface FrameServiceOptions {
  /** A client that does not read what it is told for so long is let go with `RESOURCE_EXHAUSTED`; default 30,000 ms. */
  readonly stallTimeoutMs?: number;
}

/** Takes frames for the cameras of `hub`. */
export function frameService(hub: PushHub, { stallTimeoutMs = 30_000 }: FrameServiceOptions = {}): FrameService {
  /** What ends each of the streams that are open. */
  const open = new Set<() => void>();
  return {
    name: 'blinkstream.v1.FrameService',
    definition: FrameServiceService,
    interceptor: pacedReading(FrameServiceService.push.path),
    maxMessageBytes: MAX_FRAME_BYTES + 1024 * 1024,
    handlers: (closing) => {
      closing.addEventListener('abort', () => open.forEach((end) => end()), { once: true });
      return {
        push(call) {
          if (open.size === MAX_STREAMS) {
            const details = `${MAX_STREAMS} streams are open — end one, or push several cameras over one stream`;
            call.emit('error', { code: Status.RESOURCE_EXHAUSTED, details });
            return;
          }
          const end = (): void => {
            call.emit('error', {
              code: Status.UNAVAILABLE,
              details: 'the server is closing — push on once it is back',
            });
          };
          open.add(end);
          void serve(call, hub, stallTimeoutMs).finally(() => open.delete(end));
        },
      };
    },
  };
}

/** Serves one stream to its end, which it tells the client; rejects never. */
async function serve(call: PushCall, hub: PushHub, stallTimeoutMs: number): Promise<void> {
  const stream = new PushStream(call, hub, stallTimeoutMs);
  // Ended by an error of ours, or broken: what the client is told then is told by the call.
  let isBroken = false;
  const broken = new Promise<void>((resolve) => {
    for (const event of ['error', 'cancelled', 'close']) {
      call.once(event, () => {
        isBroken = true;
        resolve();
      });
    }
  });
  try {
    await Promise.race([stream.run(), broken]);
    if (!isBroken) call.end();
  } catch (error) {
    hub.failed(error);
    call.emit('error', { code: Status.INTERNAL, details: 'internal error of the server; see its log' });
  } finally {
    stream.leave();
  }
}

/** One stream of a client. */
class PushStream {
  readonly #call: PushCall;
  readonly #hub: PushHub;
  readonly #replies: Replies;
  readonly #cameras = new Map<string, StreamedCamera>();
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(call: PushCall, hub: PushHub, stallTimeoutMs: number) {
    this.#call = call;
    this.#hub = hub;
    this.#replies = new Replies(call, stallTimeoutMs);
  }

  /** Resolves when everything that was pushed is acknowledged, after the client has half-closed. */
  async run(): Promise<void> {
    await this.#read();
    while ([...this.#cameras.values()].some((camera) => !camera.isSettled)) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    await this.#replies.flushed();
  }

  /** Deals with one message after the other. By events: iterating would destroy the call before its status is sent. */
  #read(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#call.on('data', (request: PushRequest) => {
        this.#call.pause();
        this.#handle(request)
          .then(() => this.#replies.room())
          .then(() => {
            dealtWith(request);
            this.#call.resume();
          })
          .catch(reject);
      });
      this.#call.on('end', resolve);
    });
  }

  /** What still comes is passed over. */
  leave(): void {
    this.#isOver = true;
    for (const [name, camera] of this.#cameras) this.#hub.camera(name)?.leave(camera);
    this.#wake?.();
  }

  async #handle({ message }: PushRequest): Promise<void> {
    if (this.#isOver) return;
    switch (message?.$case) {
      case 'open': {
        const { source, client } = message.value;
        if (this.#hub.camera(source) === undefined) {
          const problem = `the deployment has no camera ${source} that is pushed`;
          return this.#replies.send({ $case: 'closed', value: { source, reason: Closed_Reason.UNKNOWN, problem } });
        }
        const camera = new StreamedCamera(source, client, this.#replies, () => this.#wake?.());
        const before = this.#cameras.get(source);
        if (before !== undefined) this.#hub.camera(source)?.leave(before);
        this.#cameras.set(source, camera);
        return this.#hub.camera(source)?.open(camera);
      }
      case 'frame':
        return this.#frame(message.value);
      case 'idle': {
        const { source, eventTime } = message.value;
        const camera = this.#cameras.get(source);
        const eventTimeMs = eventTime && eventTime.seconds * 1_000 + eventTime.nanos / 1e6;
        if (camera !== undefined && eventTimeMs !== undefined && eventTimeMs >= 0) {
          await this.#hub.camera(source)?.offer(camera, { eventTimeMs });
        }
        return;
      }
      case undefined:
        // Something that a newer client says.
        return;
    }
  }

  async #frame(frame: PushedFrame): Promise<void> {
    const { source, sequence } = frame;
    const [camera, pusher] = [this.#hub.camera(source), this.#cameras.get(source)];
    if (pusher === undefined) {
      const refusal: Refusal = { source, sequence, reason: 'NOT_OPEN', problem: 'its camera was not opened' };
      this.#hub.count(refusal);
      return this.#replies.send(refused(refusal));
    }
    if (camera?.isOpenTo(pusher) !== true) return;
    const checked = await checkFrame(frame, camera.nextSequence, this.#hub.maxPixels);
    // It may have been closed while the picture was looked at.
    if (!camera.isOpenTo(pusher)) return;
    if ('reason' in checked) return camera.refuse(sequence, checked.reason, checked.problem);
    pusher.offered(sequence);
    await camera.offer(pusher, checked);
  }
}

/** A camera as one stream pushes it. */
class StreamedCamera implements Pusher {
  #offeredTo = 0;
  #durableTo = 0;
  #isClosed = false;

  constructor(
    readonly source: string,
    readonly client: string,
    readonly replies: Replies,
    readonly onChange: () => void,
  ) {}

  /** Nothing is owed to the client. What is closed it must open again, on another stream if it has half-closed this one. */
  get isSettled(): boolean {
    return this.#isClosed || this.#durableTo >= this.#offeredTo;
  }

  offered(sequence: number): void {
    this.#offeredTo = sequence;
  }

  opened(nextSequence: number): void {
    this.#isClosed = false;
    this.replies.send({ $case: 'opened', value: { source: this.source, nextSequence } });
  }

  acked(throughSequence: number): void {
    this.#durableTo = throughSequence;
    this.replies.send({ $case: 'ack', value: { source: this.source, throughSequence } });
    this.onChange();
  }

  refused(refusal: Refusal): void {
    // One that was offered last, and came too late, is owed no more.
    if (refusal.sequence === this.#offeredTo) this.#offeredTo = refusal.sequence - 1;
    this.replies.send(refused(refusal));
    this.onChange();
  }

  closed(reason: keyof typeof Closed_Reason, problem: string): void {
    this.#isClosed = true;
    this.replies.send({ $case: 'closed', value: { source: this.source, reason: Closed_Reason[reason], problem } });
    this.onChange();
  }
}

const refused = ({ reason, ...rest }: Refusal): NonNullable<PushResponse['message']> => ({
  $case: 'refused',
  value: { ...rest, reason: Refused_Reason[reason] },
});
