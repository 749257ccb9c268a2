import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folderStore, sweepFolder } from '../../src/blobs/folder.js';
import { s3Access, type S3Location } from '../../src/blobs/s3-access.js';
import { replaceFile } from '../../src/records/files.js';

let dir: string;
let folder: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'blinkstream-blobs-'));
  folder = join(dir, 'blobs');
});
afterEach(() => rm(dir, { recursive: true }));

const pathOf = (sha256: string): string => join(folder, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
const stored = (): Promise<string> => folderStore({ folder }).put(Uint8Array.from(randomBytes(100)), 'image/jpeg');
const dayMs = 86_400_000;
const aged = async (path: string, days: number): Promise<void> => {
  const at = new Date(Date.now() - days * dayMs);
  await utimes(path, at, at);
};

describe('a file that is replaced', () => {
  it("is the old one or the new one, and its owner's alone", async () => {
    const file = join(dir, 'file');
    await replaceFile(file, 'old');
    await replaceFile(file, 'new');
    expect(await readFile(file, 'utf8')).toBe('new');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    // A folder of that name cannot be replaced by a file; nothing is left of the attempt.
    await mkdir(join(dir, 'taken'));
    await expect(replaceFile(join(dir, 'taken'), 'new')).rejects.toThrow();
    expect((await readdir(dir)).sort()).toEqual(['file', 'taken']);
  });
});

describe('a folder of blobs', () => {
  it("is its owner's alone, and leaves nothing half written", async () => {
    const sha256 = await stored();
    const modes = await Promise.all(
      [folder, join(folder, sha256.slice(0, 2)), pathOf(sha256)].map(async (path) => (await stat(path)).mode & 0o777),
    );
    expect(modes).toEqual([0o700, 0o700, 0o600]);
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('that may not be read is refused', async () => {
    const sha256 = await stored();
    await chmod(pathOf(sha256), 0o000);
    await expect(folderStore({ folder }).get(sha256)).rejects.toMatchObject({ code: 'BLOBS_REFUSED', class: 'user' });
  });
});

describe('a sweep', () => {
  const sweep = (maxAgeDays = 7): Promise<number> =>
    sweepFolder(folder, { maxAgeMs: maxAgeDays * dayMs, nowMs: Date.now() });

  it('removes what is older than it may be, and nothing else', async () => {
    const [old, young] = [await stored(), await stored()];
    await aged(pathOf(old), 7.1);
    await aged(pathOf(young), 6.9);
    await writeFile(join(folder, 'readme'), 'of somebody');
    await aged(join(folder, 'readme'), 100);
    expect(await sweep()).toBe(1);
    const store = folderStore({ folder });
    expect([await store.has(old), await store.has(young)]).toEqual([false, true]);
    expect(await readFile(join(folder, 'readme'), 'utf8')).toBe('of somebody');
    expect(await sweep()).toBe(0);
  });

  it('keeps what was stored anew', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const store = folderStore({ folder });
    const sha256 = await store.put(bytes, 'image/jpeg');
    await aged(pathOf(sha256), 30);
    await store.put(bytes, 'image/jpeg');
    expect(await sweep()).toBe(0);
    expect(await store.has(sha256)).toBe(true);
  });

  it('ends what one before it left in between: a blob put aside goes, or comes back where it is young', async () => {
    const [old, young] = [await stored(), await stored()];
    await aged(pathOf(old), 30);
    await mkdir(join(folder, 'going'));
    for (const sha256 of [old, young]) await rename(pathOf(sha256), join(folder, 'going', sha256));
    expect(await sweep()).toBe(1);
    const store = folderStore({ folder });
    expect([await store.has(old), await store.has(young)]).toEqual([false, true]);
    expect(await readdir(join(folder, 'going'))).toEqual([]);
  });

  it('removes what a crash left half written, but not what is being written', async () => {
    await stored();
    for (const name of ['left', 'being-written']) await writeFile(join(folder, 'incoming', name), 'half');
    await aged(join(folder, 'incoming', 'left'), 1);
    await sweep();
    expect(await readdir(join(folder, 'incoming'))).toEqual(['being-written']);
  });

  it('has nothing to do in a folder that is not there', async () => {
    expect(await sweep()).toBe(0);
  });
});

describe('how a bucket is reached', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
  const access = (location: Partial<S3Location>, env: NodeJS.ProcessEnv = keys) =>
    s3Access({ bucket: 'frames', ...location }, env);

  it.each([
    ['at Amazon', {}, {}, 'https://frames.s3.us-east-1.amazonaws.com/x'],
    ['in a region', { region: 'eu-west-1' }, {}, 'https://frames.s3.eu-west-1.amazonaws.com/x'],
    ['in that of the environment', {}, { AWS_REGION: 'eu-west-3' }, 'https://frames.s3.eu-west-3.amazonaws.com/x'],
    ['elsewhere', { endpoint: 'https://s3.example:9000' }, {}, 'https://s3.example:9000/frames/x'],
    ['elsewhere', {}, { AWS_ENDPOINT_URL: 'https://s3.example' }, 'https://s3.example/frames/x'],
    ['by host', { endpoint: 'https://s3.example', pathStyle: false }, {}, 'https://frames.s3.example/x'],
    ['below a prefix', { prefix: '/a b/c+d/' }, {}, 'https://frames.s3.us-east-1.amazonaws.com/a%20b/c%2Bd/x'],
    ['on loopback', { endpoint: 'http://127.0.0.1:9000' }, {}, 'http://127.0.0.1:9000/frames/x'],
    ['in plain text', { endpoint: 'http://minio:9000', allowPlaintext: true }, {}, 'http://minio:9000/frames/x'],
  ])('%s', (_, location: Partial<S3Location>, env, url) => {
    expect(access(location, { ...keys, ...env }).keyUrl('x')).toBe(url);
  });

  it('takes a session token along', () => {
    expect(access({}, { ...keys, AWS_SESSION_TOKEN: 'token' }).credentials).toMatchObject({ sessionToken: 'token' });
  });

  it.each([
    ['plain text to another machine', { endpoint: 'http://minio:9000' }, keys, /to minio:9000 in plain text/],
    ['no credentials', {}, { AWS_ACCESS_KEY_ID: 'id' }, /no credentials/],
    ['a name that is none', { bucket: 'frames/../other' }, keys, /not the name of a bucket/],
    ['a prefix that climbs', { prefix: 'a/../b' }, keys, /holds \. or \.\./],
    ['an endpoint with a password', { endpoint: 'https://user:hush@s3.example' }, keys, /^(?!.*hush).*s3\.example/],
    ['an endpoint that is none', { endpoint: 'hush:me' }, keys, /^(?!.*hush).*https URL/],
  ])('refuses %s', (_, location: Partial<S3Location>, env: NodeJS.ProcessEnv, told) => {
    expect(() => access(location, env)).toThrow(
      expect.objectContaining({ code: 'BLOBS_REFUSED', class: 'user', message: expect.stringMatching(told) as string }),
    );
  });
});
