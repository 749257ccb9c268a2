/** A smaller value is copied at once, which costs less than looking after it. */
const COPIED_BYTES = 4_096;

/**
 * Bytes that are a slice of a fetch. Whoever is done with them releases them; whoever keeps them asks for `bytes` each
 * time, because they may be moved meanwhile.
 *
 * A slice pins all of its fetch, so slices are only what they are as long as half of the fetch is in use: when, after a
 * turn of the event loop, it is less, what is left is copied out. Memory is thus at most twice what is counted, and most
 * frames are never copied.
 */
export class Borrowed {
  #bytes: Uint8Array;
  #fetch: Fetch | undefined;

  private constructor(bytes: Uint8Array, fetch: Fetch | undefined) {
    this.#bytes = bytes;
    this.#fetch = fetch;
  }

  static of(bytes: Uint8Array): Borrowed {
    if (bytes.byteLength < COPIED_BYTES) return new Borrowed(copyOf(bytes), undefined);
    const fetch = fetchOf(bytes.buffer);
    const borrowed = new Borrowed(bytes, fetch);
    fetch.add(borrowed);
    return borrowed;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** May be called again. */
  release(): void {
    const fetch = this.#fetch;
    this.#fetch = undefined;
    fetch?.release(this);
  }

  /** Gives them memory of their own. */
  detach(): void {
    this.#fetch = undefined;
    this.#bytes = copyOf(this.#bytes);
  }
}

/** By the memory that the slices of a fetch share. */
const fetches = new WeakMap<ArrayBufferLike, Fetch>();

function fetchOf(buffer: ArrayBufferLike): Fetch {
  const known = fetches.get(buffer);
  if (known !== undefined) return known;
  const fetch = new Fetch(buffer.byteLength);
  fetches.set(buffer, fetch);
  return fetch;
}

/** What is in use of the memory of one fetch. */
class Fetch {
  readonly #bytes: number;
  readonly #inUse = new Set<Borrowed>();
  #bytesInUse = 0;
  #isLookedAt = false;

  constructor(bytes: number) {
    this.#bytes = bytes;
    // What nobody has taken by the end of the turn was for nobody.
    this.#lookAfterwards();
  }

  add(borrowed: Borrowed): void {
    this.#inUse.add(borrowed);
    this.#bytesInUse += borrowed.bytes.byteLength;
  }

  release(borrowed: Borrowed): void {
    this.#inUse.delete(borrowed);
    this.#bytesInUse -= borrowed.bytes.byteLength;
    if (this.#bytesInUse * 2 < this.#bytes) this.#lookAfterwards();
  }

  /** Slices are taken and released many in a turn of the event loop: only what is still there after it is worth a copy. */
  #lookAfterwards(): void {
    if (this.#isLookedAt) return;
    this.#isLookedAt = true;
    setImmediate(() => {
      this.#isLookedAt = false;
      this.#detachFew();
    });
  }

  #detachFew(): void {
    if (this.#bytesInUse * 2 >= this.#bytes) return;
    for (const borrowed of this.#inUse) borrowed.detach();
    this.#inUse.clear();
    this.#bytesInUse = 0;
  }
}

function copyOf(bytes: Uint8Array): Uint8Array {
  // Neither filled with zeros first nor taken from the shared pool.
  const own = Buffer.allocUnsafeSlow(bytes.byteLength);
  own.set(bytes);
  return own;
}
