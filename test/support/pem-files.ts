import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificates.js';

/** A folder of PEM files that is there for as long as the tests of a file. */
export class PemFolder {
  private constructor(readonly path: string) {}

  static async make(): Promise<PemFolder> {
    return new PemFolder(await mkdtemp(join(tmpdir(), 'blinkstream-pem-')));
  }

  /** Writes a text, and gives its path. */
  async text(name: string, content: string): Promise<string> {
    const path = join(this.path, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }

  /** Writes a certificate and its key, and gives their paths. */
  async pair(name: string, { cert, key }: Certificate): Promise<{ readonly cert: string; readonly key: string }> {
    return { cert: await this.text(`${name}.pem`, cert), key: await this.text(`${name}.key`, key) };
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true });
  }
}
