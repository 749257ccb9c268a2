import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { PushRequest } from '../../records/generated/blinkstream/v1/frame_service.js';

/** What lets the next message of its stream come. */
const goOn = new WeakMap<PushRequest, () => void>();

/** The message is dealt with. */
export const dealtWith = (message: PushRequest): void => goOn.get(message)?.();

/**
 * Lets a message of a client come only when the one before is `dealtWith`. By itself grpc-js reads sixteen ahead, whatever
 * their size. A client that is not read is slowed down by the flow control of HTTP/2.
 * @param path the method for which this holds
 */
export const pacedReading =
  (path: string): ServerInterceptor =>
  (method, call) =>
    method.path === path ? new PacedReading(call) : new ServerInterceptingCall(call);

class PacedReading extends ServerInterceptingCall {
  #isBusy = false;
  #isWanted = false;

  constructor(call: ConstructorParameters<typeof ServerInterceptingCall>[0]) {
    super(call, {
      start: (next) =>
        next({
          onReceiveMessage: (message: PushRequest, pass) => {
            this.#isBusy = true;
            goOn.set(message, () => {
              this.#isBusy = false;
              if (this.#isWanted) this.startRead();
            });
            pass(message);
          },
        }),
    });
  }

  override startRead(): void {
    this.#isWanted = this.#isBusy;
    if (!this.#isBusy) super.startRead();
  }
}
