/** A picture to compare with is taken this often at most: copying each would cost more than comparing. */
const RENEW_MS = 1_000;

/** Notices pictures that stand still bit for bit, as no camera that works gives them for long. */
export class FreezeDetector {
  #reference: Uint8Array | undefined;
  #sinceMs = 0;
  #isCurrent = false;
  readonly #freezeMs: number;

  /** @param freezeMs how long pictures may be the same; 0: as long as they like */
  constructor(freezeMs: number) {
    this.#freezeMs = freezeMs;
  }

  /** Since when there has been no other picture, once that is `freezeMs`; undefined while there is. */
  frozenSince(picture: Uint8Array, nowMs: number): number | undefined {
    if (this.#freezeMs === 0) return undefined;
    const same = this.#isCurrent && this.#reference !== undefined && Buffer.compare(this.#reference, picture) === 0;
    if (same) return nowMs - this.#sinceMs >= this.#freezeMs ? this.#sinceMs : undefined;
    this.#isCurrent = false;
    if (nowMs - this.#sinceMs >= RENEW_MS || this.#reference?.byteLength !== picture.byteLength) {
      if (this.#reference?.byteLength !== picture.byteLength) this.#reference = new Uint8Array(picture.byteLength);
      this.#reference.set(picture);
      this.#sinceMs = nowMs;
      this.#isCurrent = true;
    }
    return undefined;
  }
}
