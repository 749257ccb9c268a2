import { type ServerDuplexStream, status as Status } from '@grpc/grpc-js';
import type { PushRequest, PushResponse } from '../../records/generated/blinkstream/v1/frame_service.js';

/** A client that leaves so many unread reads no more. */
const MAX_WAITING = 1_000;
/** So many may wait before its next message is read. */
const ROOM = 64;

/** What a client is told, at its own pace. Acks of one camera overtake each other while they wait. */
export class Replies {
  readonly #call: ServerDuplexStream<PushRequest, PushResponse>;
  readonly #stallTimeoutMs: number;
  #waiting: PushResponse[] = [];
  #isWriting = false;
  readonly #forRoom: (() => void)[] = [];

  /** @param stallTimeoutMs a client that takes nothing for so long is let go */
  constructor(call: ServerDuplexStream<PushRequest, PushResponse>, stallTimeoutMs: number) {
    this.#call = call;
    this.#stallTimeoutMs = stallTimeoutMs;
  }

  send(message: NonNullable<PushResponse['message']>): void {
    const last = this.#waiting.at(-1)?.message;
    const isOvertaken = message.$case === 'ack' && last?.$case === 'ack' && last.value.source === message.value.source;
    if (isOvertaken) this.#waiting.pop();
    this.#waiting.push({ message });
    if (this.#waiting.length > MAX_WAITING) return this.#giveUp();
    if (!this.#isWriting) void this.#write();
  }

  /** Resolves when the client has taken nearly everything. */
  async room(): Promise<void> {
    if (this.#waiting.length > ROOM) await new Promise<void>((resolve) => this.#forRoom.push(resolve));
  }

  /** Resolves when everything is handed to the connection. */
  async flushed(): Promise<void> {
    while (this.#isWriting) await new Promise<void>((resolve) => this.#forRoom.push(resolve));
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#call.destroyed || this.#call.writableEnded) break;
      if (!this.#call.write(next) && !(await this.#drained())) break;
      if (this.#waiting.length <= ROOM) this.#wakeAll();
    }
    this.#waiting = [];
    this.#isWriting = false;
    this.#wakeAll();
  }

  /** False where the stream is over. */
  #drained(): Promise<boolean> {
    const call = this.#call;
    return new Promise((resolve) => {
      const settle = (goesOn: boolean) => (): void => {
        clearTimeout(timer);
        call.off('drain', onDrain);
        call.off('close', onClose);
        resolve(goesOn);
      };
      const onDrain = settle(true);
      const onClose = settle(false);
      const timer = setTimeout(() => {
        this.#giveUp();
        onClose();
      }, this.#stallTimeoutMs);
      call.on('drain', onDrain);
      call.on('close', onClose);
    });
  }

  #giveUp(): void {
    const details = 'what the server answers is not read — read acks and refusals beside pushing';
    this.#call.emit('error', { code: Status.RESOURCE_EXHAUSTED, details });
  }

  #wakeAll(): void {
    for (const wake of this.#forRoom.splice(0)) wake();
  }
}
