import { credentials, type ClientReadableStream } from '@grpc/grpc-js';
import { EventServiceClient } from '../../src/records/generated/blinkstream/v1/events_service.js';

/** A subscriber that reads nothing. Each time that the server lets it go it comes again. */
export class StalledSubscriber {
  /** How often it was let go. */
  letGo = 0;
  readonly #client: EventServiceClient;
  #call: ClientReadableStream<unknown> | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(address: string) {
    this.#client = new EventServiceClient(address, credentials.createInsecure());
    this.#subscribe();
  }

  stop(): void {
    clearTimeout(this.#again);
    this.#call?.removeAllListeners().on('error', () => undefined);
    this.#call?.cancel();
    this.#client.close();
  }

  #subscribe(): void {
    const request = { cursor: Buffer.alloc(0), filter: undefined, onlyNew: false, untilEnd: false };
    this.#call = this.#client.subscribe(request);
    this.#call.pause();
    this.#call.on('error', () => {
      this.letGo += 1;
      this.#again = setTimeout(() => this.#subscribe(), 1_000);
    });
  }
}
