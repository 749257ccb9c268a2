import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Cursor } from '../log/index.js';
import { ifThere, makeFolder, replaceFile } from '../records/files.js';
import { BlinkstreamError, messageOf } from '../records/index.js';

/** How far an output has got, in a file of its own that is either as it was or as it is to be, whatever happens. */
export class KeptCursor {
  constructor(readonly file: string) {}

  /** Undefined where none was kept yet. @throws BlinkstreamError `OUTPUT_DAMAGED`, `OUTPUT_FAILED` (user) */
  async read(): Promise<Cursor | undefined> {
    const text = await this.#guarded(() => ifThere(readFile(this.file, 'utf8')));
    if (text === undefined) return undefined;
    if (/^[\w-]+\n$/.test(text)) return Buffer.from(text.trim(), 'base64url');
    throw new BlinkstreamError(`${this.file} holds no cursor`, {
      code: 'OUTPUT_DAMAGED',
      class: 'user',
      stage: 'output',
      hint: 'remove it to send all that the log still holds, in part a second time',
    });
  }

  /** Durable when it returns. @throws BlinkstreamError `OUTPUT_FULL` (resource), `OUTPUT_FAILED` (user) */
  async write(cursor: Cursor): Promise<void> {
    await this.#guarded(async () => {
      await makeFolder(dirname(this.file));
      await replaceFile(this.file, `${Buffer.from(cursor).toString('base64url')}\n`);
    });
  }

  async #guarded<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const isFull = code === 'ENOSPC' || code === 'EDQUOT';
      const message = `cannot keep in ${this.file} how far was sent: ${messageOf(cause)}`;
      throw new BlinkstreamError(isFull ? `no space left to write ${this.file}` : message, {
        code: isFull ? 'OUTPUT_FULL' : 'OUTPUT_FAILED',
        class: isFull ? 'resource' : 'user',
        stage: 'output',
        hint: isFull ? 'free some space and start again' : 'check that the folder may be written to',
        cause,
      });
    }
  }
}
