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

/** Takes frames for the cameras of `hub`. */
export function frameService(hub: PushHub): FrameService {
  let streams = 0;
  return {
    name: 'blinkstream.v1.FrameService',
    definition: FrameServiceService,
    interceptor: pacedReading(FrameServiceService.push.path),
    maxMessageBytes: MAX_FRAME_BYTES + 1024 * 1024,
    handlers: (closing) => ({
      push(call) {
        if (streams === MAX_STREAMS) {
          const details = `${MAX_STREAMS} streams are open — end one, or push several cameras over one stream`;
          call.emit('error', { code: Status.RESOURCE_EXHAUSTED, details });
          return;
        }
        streams += 1;
        void serve(call, hub, closing).finally(() => (streams -= 1));
      },
    }),
  };
}

/** Serves one stream to its end, which it tells the client; rejects never. */
async function serve(call: PushCall, hub: PushHub, closing: AbortSignal): Promise<void> {
  const stream = new PushStream(call, hub);
  const isOver = new Promise<void>((resolve) => {
    call.once('cancelled', resolve);
    call.once('close', resolve);
  });
  const onClosing = (): void => {
    const details = 'the server is closing — push on once it is back';
    call.emit('error', { code: Status.UNAVAILABLE, details });
  };
  closing.addEventListener('abort', onClosing, { once: true });
  try {
    await Promise.race([stream.run(), isOver]);
    if (!closing.aborted && !call.cancelled) call.end();
  } catch (error) {
    // A broken connection breaks the reading too; there is nobody left to tell.
    if (call.cancelled || closing.aborted) return;
    hub.failed(error);
    call.emit('error', { code: Status.INTERNAL, details: 'internal error of the server; see its log' });
  } finally {
    closing.removeEventListener('abort', onClosing);
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

  constructor(call: PushCall, hub: PushHub) {
    this.#call = call;
    this.#hub = hub;
    this.#replies = new Replies(call);
  }

  /** Resolves when everything that was pushed is acknowledged, after the client has half-closed. */
  async run(): Promise<void> {
    const requests = this.#call.iterator({ destroyOnReturn: false }) as AsyncIterable<PushRequest>;
    for await (const request of requests) {
      await this.#handle(request);
      await this.#replies.room();
      dealtWith(request);
    }
    while ([...this.#cameras.values()].some((camera) => !camera.isSettled)) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    await this.#replies.flushed();
  }

  leave(): void {
    for (const [name, camera] of this.#cameras) this.#hub.camera(name)?.leave(camera);
    this.#wake?.();
  }

  async #handle({ message }: PushRequest): Promise<void> {
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
