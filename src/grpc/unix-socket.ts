import { once } from 'node:events';
import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';

/**
 * Takes away the Unix socket that a killed server has left behind, which would keep the next one from listening there.
 * Nothing but a socket is removed, and none that somebody listens on.
 * @returns whether the path is free now
 */
export async function removeAbandonedSocket(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isSocket() || (await answers(path))) return false;
    await rm(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
}

/** Whether anyone listens on a Unix socket. */
async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (codeOf(error) === 'ECONNREFUSED') return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
