import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Check, lacking, onPath } from './check.js';

export const store: Check = {
  name: 'LMDB',
  needed: true,
  remedy: 'install again with npm ci on a platform that lmdb supports, and let the temporary folder be writable',
  async find() {
    const { open } = await import('lmdb');
    const folder = await mkdtemp(path.join(tmpdir(), 'blinkstream-doctor-'));
    try {
      const database = open<string, string>({ path: path.join(folder, 'log') });
      await database.put('key', 'value');
      const read = database.get('key');
      await database.close();
      if (read !== 'value') throw lacking(`a value written in ${folder} does not come back`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return 'writes and reads';
  },
};

export const browser: Check = {
  name: 'browser',
  needed: false,
  remedy: 'needed only to run the tests of the report: npm ci brings one, or install Chromium',
  async find(env) {
    const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
    const found = await onPath(names, env);
    if (found !== undefined) return found;
    try {
      createRequire(import.meta.url).resolve('@sparticuz/chromium');
    } catch (error) {
      throw lacking('no Chromium on PATH or from npm', error);
    }
    return '@sparticuz/chromium (from npm)';
  },
};
