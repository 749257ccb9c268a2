import { type ServerInterceptor, ServerInterceptingCall } from '@grpc/grpc-js';

/** On its way to one client beyond what its socket has taken; one message more where that is larger. */
const maxInFlightBytes = 64 * 1024;

/**
 * Lets several encoded messages of a call be on their way at once. By itself grpc-js hands a message to the connection
 * only when the socket has taken the one before: a frame, a write and a wakeup of the client for each, which is most of
 * the cost of catching up. Messages that are not encoded yet go as they always do, since their size is not known.
 */
export const pipelined: ServerInterceptor = (_method, call) => new PipelinedCall(call);

class PipelinedCall extends ServerInterceptingCall {
  #inFlightBytes = 0;
  /** Wants the next message; held back while too much is in flight. At most one: the stream sends one by one. */
  #next: (() => void) | undefined;

  override sendMessage(message: unknown, callback: () => void): void {
    if (!Buffer.isBuffer(message)) {
      super.sendMessage(message, callback);
      return;
    }
    this.#inFlightBytes += message.length;
    this.#next = callback;
    super.sendMessage(message, () => {
      this.#inFlightBytes -= message.length;
      this.#goOn();
    });
    this.#goOn();
  }

  #goOn(): void {
    if (this.#inFlightBytes >= maxInFlightBytes) return;
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }
}
