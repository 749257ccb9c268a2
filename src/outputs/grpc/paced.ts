import { type ServerWritableStream, status as Status } from '@grpc/grpc-js';
import { StatusError } from './status.js';

/** Writes to a client at the client's own pace. */
export class PacedWriter<Message> {
  constructor(
    private readonly call: ServerWritableStream<unknown, Message>,
    private readonly stallTimeoutMs: number,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Resolves when the next message may be written: at once while the stream takes more. Never ignored: what a client
   * does not take would pile up in memory.
   * @throws StatusError `RESOURCE_EXHAUSTED` where the client takes nothing for `stallTimeoutMs`
   * @throws the signal's reason on abort; grpc-js emits no `drain` after a cancellation
   */
  async write(message: Message): Promise<void> {
    this.signal.throwIfAborted();
    if (!this.call.write(message)) await this.drained();
  }

  private drained(): Promise<void> {
    const { call, signal, stallTimeoutMs } = this;
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => () => {
        clearTimeout(timer);
        call.off('drain', onDrain);
        signal.removeEventListener('abort', onAbort);
        action();
      };
      const onDrain = settle(resolve);
      const onAbort = settle(() => reject(signal.reason as Error));
      const timer = setTimeout(
        settle(() => reject(stalled(stallTimeoutMs))),
        stallTimeoutMs,
      );
      call.on('drain', onDrain);
      signal.addEventListener('abort', onAbort);
    });
  }
}

const stalled = (stallTimeoutMs: number): StatusError =>
  new StatusError(
    Status.RESOURCE_EXHAUSTED,
    `nothing was read for ${stallTimeoutMs / 1000} s — subscribe again from the last cursor and read faster`,
  );
