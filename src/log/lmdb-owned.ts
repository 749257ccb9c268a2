import { randomUUID } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { makeFolder } from '../records/files.js';
import { BlinkstreamError } from '../records/index.js';
import { LmdbTables, openFailed, type LmdbOptions } from './lmdb-tables.js';
import { isRunning, thisProcess } from './owner.js';

/** Stores that this process writes now: the record of the owner cannot tell an opening that is over from one that is not. */
const writtenHere = new Set<string>();

/** The tables as their one writing process has them. */
export class OwnedTables {
  private constructor(
    readonly tables: LmdbTables,
    readonly token: string,
    readonly leave: () => void,
  ) {}

  /**
   * Makes folder and tables where they are not there.
   * @throws BlinkstreamError `LOG_IN_USE` (user), and see `LmdbTables.open`
   */
  static async open(path: string, options: Omit<LmdbOptions, 'readOnly'> = {}): Promise<OwnedTables> {
    const place = await folder(path);
    if (writtenHere.has(place)) throw inUse(path, process.pid);
    writtenHere.add(place);
    const leave = (): void => void writtenHere.delete(place);
    let tables: LmdbTables | undefined;
    try {
      tables = await LmdbTables.open(path, options);
      return new OwnedTables(tables, takeOwnership(tables), leave);
    } catch (thrown) {
      leave();
      await tables?.close();
      throw thrown;
    }
  }

  /** One transaction, of the owner only: who was taken for dead and replaced finds out here, before it writes. */
  write<T>(write: () => T): T {
    const { tables, token } = this;
    return tables.transact(() => {
      const { owner } = tables;
      if (owner?.token !== token) throw inUse(tables.path, owner?.pid ?? 0);
      return write();
    });
  }

  async close(): Promise<void> {
    const { tables, token, leave } = this;
    try {
      tables.transact(() => {
        if (tables.owner?.token === token) tables.owner = undefined;
      });
    } finally {
      leave();
      await tables.close();
    }
  }
}

async function folder(path: string): Promise<string> {
  try {
    await makeFolder(path);
    return await realpath(path);
  } catch (cause) {
    throw openFailed(path, cause);
  }
}

/** LMDB lets one process at a time into a write transaction, so that of two that start together one sees the other. */
function takeOwnership(tables: LmdbTables): string {
  const token = randomUUID();
  tables.transact(() => {
    const { owner } = tables;
    // An owner with our own id is over: an earlier opening of this process, or a process whose id was given to us.
    if (owner !== undefined && owner.pid !== process.pid && isRunning(owner)) throw inUse(tables.path, owner.pid);
    tables.owner = thisProcess(token);
  });
  return token;
}

const inUse = (path: string, pid: number): BlinkstreamError =>
  new BlinkstreamError(`log ${path} is in use by process ${pid}${pid === process.pid ? ', this one' : ''}`, {
    code: 'LOG_IN_USE',
    class: 'user',
    stage: 'log',
    hint: 'Wait until it ends or stop it, or use another folder.',
  });
