import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf } from '../../records/index.js';
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

export const broker: Check = {
  name: 'Kafka broker',
  needed: false,
  remedy: 'needed only for frames or events through Kafka: set KAFKA_BROKERS=HOST:PORT[,HOST:PORT]',
  async find({ KAFKA_BROKERS: brokers }) {
    if (!brokers) throw lacking('KAFKA_BROKERS is not set');
    const problems: string[] = [];
    for (const address of brokers.split(',').map((one) => one.trim())) {
      const problem = await connectionProblem(address);
      if (problem === undefined) return `${address} takes connections`;
      problems.push(`${address}: ${problem}`);
    }
    throw lacking(`no broker of KAFKA_BROKERS answers (${problems.join('; ')})`);
  },
};

/** Why `HOST:PORT` cannot be connected to; undefined where it can. */
async function connectionProblem(address: string): Promise<string | undefined> {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || Number(port) > 65_535) return 'not HOST:PORT';
  const socket = connect({ host, port: Number(port) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(3_000) });
    return undefined;
  } catch (error) {
    return error instanceof Error && error.name === 'AbortError' ? 'no answer within 3 s' : messageOf(error);
  } finally {
    socket.destroy();
  }
}

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
