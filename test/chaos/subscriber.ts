import type { Cursor } from '../../src/log/index.js';
import { subscribeEvents } from '../../src/outputs/grpc/client.js';
import { changeEventToJson } from '../../src/records/convert/change.js';

/** A gRPC client that reads a job's events from first to last, over every death of its server. */
export class Subscriber {
  /** Each event as the output file has it. */
  readonly events: string[] = [];
  /** How often it had to try for another connection. */
  retries = 0;
  /** Where it has got to. */
  #cursor: Cursor = new Uint8Array();
  #failure: Error | undefined;
  readonly #stopping = new AbortController();
  readonly #reading: Promise<void>;

  constructor(private readonly address: string) {
    this.#reading = this.#read().catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    });
  }

  async #read(): Promise<void> {
    const { address } = this;
    const { signal } = this.#stopping;
    for await (const told of subscribeEvents({ address, signal, onRetry: () => (this.retries += 1) })) {
      if ('event' in told) this.events.push(changeEventToJson(told.event));
      this.#cursor = told.cursor;
    }
  }

  /** Whether it has read all that its server has now. */
  async isAtEnd(): Promise<boolean> {
    const { address } = this;
    let end: Cursor | undefined;
    for await (const { cursor } of subscribeEvents({
      address,
      onlyNew: true,
      untilEnd: true,
      signal: this.#stopping.signal,
    })) {
      end = cursor;
    }
    return end !== undefined && Buffer.compare(end, this.#cursor) === 0;
  }

  /** @throws what ended the subscription, which nothing but `stop` should */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reading;
    this.check();
  }
}
