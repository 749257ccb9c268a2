import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256Of } from '../../src/blobs/sha256.js';
import type { ClaimCheckStore } from '../../src/blobs/index.js';

/** A driver under test, and what only its tests can do to it. */
export interface BlobDriver {
  /** The same store each time it is asked for. */
  open(options?: { readonly maxBytes: number }): ClaimCheckStore;
  /** Puts other bytes in the place of a blob. */
  damage(sha256: string, bytes: Uint8Array): Promise<void>;
  /** One that is not there now, and may be later. */
  unreachable(): ClaimCheckStore;
  /** One that does not let us in. */
  refusing(): ClaimCheckStore | Promise<ClaimCheckStore>;
}

/** What holds for every blob store; `driver` is asked for inside of tests. */
export function blobConformance(name: string, driver: () => BlobDriver): void {
  describe(`${name}, as a blob store`, () => {
    const picture = (): Uint8Array => Uint8Array.from(randomBytes(1_000));

    it('gives the very bytes that were stored, under their SHA-256', async () => {
      const store = driver().open();
      for (const bytes of [new Uint8Array(0), picture(), Uint8Array.from(randomBytes(5_000_000))]) {
        const sha256 = await store.put(bytes, 'image/jpeg');
        expect(sha256).toBe(sha256Of(bytes));
        expect(await store.has(sha256)).toBe(true);
        const found = await driver().open().get(sha256);
        expect(found && Buffer.compare(found.bytes, bytes)).toBe(0);
      }
    });

    it('stores what it has already, any number of times and at the same time', async () => {
      const store = driver().open();
      const bytes = picture();
      const names = await Promise.all(Array.from({ length: 8 }, () => store.put(bytes, 'image/png')));
      expect(new Set(names)).toEqual(new Set([sha256Of(bytes)]));
      expect((await store.get(names[0]))?.bytes).toEqual(Buffer.from(bytes));
    });

    it('fault 11: has nothing where nothing was stored', async () => {
      const store = driver().open();
      await store.put(picture(), 'image/jpeg');
      const nothing = sha256Of(picture());
      expect(await store.get(nothing)).toBeUndefined();
      expect(await store.has(nothing)).toBe(false);
    });

    it('tells a blob that is damaged, which heals by being stored again', async () => {
      const store = driver().open();
      const bytes = picture();
      const sha256 = await store.put(bytes, 'image/jpeg');
      await driver().damage(sha256, picture());
      await expect(store.get(sha256)).rejects.toMatchObject({ code: 'BLOB_DAMAGED', class: 'data' });
      await store.put(bytes, 'image/jpeg');
      expect((await store.get(sha256))?.bytes).toEqual(Buffer.from(bytes));
    });

    it('reads no more than it may', async () => {
      const sha256 = await driver().open().put(picture(), 'image/jpeg');
      expect(await driver().open({ maxBytes: 1_000 }).get(sha256)).toBeDefined();
      const small = driver().open({ maxBytes: 999 });
      await expect(small.get(sha256)).rejects.toMatchObject({ code: 'BLOB_TOO_LARGE', class: 'data' });
    });

    it.each(['', '../../etc/passwd', 'AB'.repeat(32), 'ab'.repeat(31), `${'ab'.repeat(32)}/`])(
      'takes no name that is no SHA-256: %j',
      async (wrong) => {
        await expect(driver().open().get(wrong)).rejects.toMatchObject({ code: 'BLOB_NAME', class: 'data' });
        await expect(driver().open().has(wrong)).rejects.toMatchObject({ code: 'BLOB_NAME', class: 'data' });
      },
    );

    it('tells one that cannot be reached for now from one that is empty', async () => {
      const store = driver().unreachable();
      const expected = { code: 'BLOBS_UNREACHABLE', class: 'external' };
      await expect(store.get('ab'.repeat(32))).rejects.toMatchObject(expected);
      await expect(store.has('ab'.repeat(32))).rejects.toMatchObject(expected);
    });

    it('tells one that refuses, and what to do', async () => {
      const store = await driver().refusing();
      const expected = { code: 'BLOBS_REFUSED', class: 'user', hint: expect.stringMatching(/./) as string };
      await expect(store.get('ab'.repeat(32))).rejects.toMatchObject(expected);
      await expect(store.put(picture(), 'image/jpeg')).rejects.toMatchObject(expected);
    });
  });
}
