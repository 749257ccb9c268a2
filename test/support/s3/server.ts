/**
 * A real S3-compatible server for tests: moto, which holds signatures against Amazon's own implementation of them and
 * rights against IAM policies. It comes from PyPI, once, into the user's cache folder.
 *
 *     await describeS3('the store', () => {          // skipped, and loudly so, where it cannot be had
 *       const s3 = s3Server();                       // started before the tests, ended after them
 *       it('…', () => s3().endpoint);
 *     });
 *
 * `BLINKSTREAM_S3_REQUIRED=1` makes it an error that it cannot be had.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe } from 'vitest';
import type { S3Credentials } from '../../../src/blobs/s3-access.js';

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly allowed: S3Credentials;
  /** Of a user who is known and may do nothing. */
  readonly denied: S3Credentials;
  end(): Promise<void>;
}

const run = promisify(execFile);
const version = '5.2.5';
const script = fileURLToPath(new URL('server.py', import.meta.url));

export async function describeS3(name: string, tests: () => void): Promise<void> {
  let missing: string | undefined;
  try {
    await moto();
  } catch (error) {
    missing = String(error instanceof Error ? error.message : error)
      .trim()
      .split('\n')
      .at(-1);
    const told = `no S3 server can be had here: ${missing}. To run these tests, install Python 3.10 or newer with pip.`;
    if (process.env.BLINKSTREAM_S3_REQUIRED) throw new Error(told, { cause: error });
    console.warn(`\nSKIPPED: ${name}: ${told}\n`);
  }
  describe.skipIf(missing !== undefined)(name, tests);
}

/** One that runs while the tests of the `describe` around it do. */
export function s3Server(): () => S3Server {
  let server: S3Server | undefined;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server?.end());
  return () => {
    if (server === undefined) throw new Error('the S3 server runs only inside of tests');
    return server;
  };
}

async function startS3(): Promise<S3Server> {
  // Its end of our pipe closes with us, by kill -9 too, and it ends then.
  const child = spawn('python3', [script], {
    env: { ...process.env, PYTHONPATH: await moto() },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exit = once(child, 'exit');
  const line = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>;
  const ended = exit.then(() => Promise.reject(new Error('the S3 server ended before it listened')));
  const [told] = await Promise.race([line, ended]);
  return {
    ...(JSON.parse(told) as Omit<S3Server, 'end'>),
    end: async () => {
      ended.catch(() => undefined);
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Folder of the Python packages. It is filled beside its place and then renamed, so that it is there whole or not. */
async function moto(): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'blinkstream', `moto-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const fetched = await mkdtemp(`${folder}-`);
  try {
    // What its extra `server` brings besides is for services that are not used.
    const packages = [`moto==${version}`, 'flask', 'flask-cors'];
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', fetched, ...packages]);
    await rename(fetched, folder);
  } catch (error) {
    // Another run may have been faster: its folder is as good.
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
  return folder;
}
