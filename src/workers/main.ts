/**
 * The entry of a worker process: started by `child.ts` with an IPC channel, it waits for a `StartMessage`, serves its
 * engine on the Unix socket named there, and ends when its parent closes the channel or dies.
 */
import { pathToFileURL } from 'node:url';
import type { CreateEngine } from './index.js';
import type { ChildMessage, StartMessage } from './messages.js';
import { startWorkerServer } from './server.js';
import { asError, errorToJson } from './status.js';
import { packageVersion } from './version.js';
import { removeSocket, startWatchdog } from './watchdog.js';

// Ctrl-C reaches the whole process group, a service manager's SIGTERM often every process of a service; but when to stop
// is the parent's decision, which has work in flight.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

const tell = (message: ChildMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) throw new Error('a worker process needs the IPC channel of its parent');
    process.send(message, () => resolve());
  });

async function start(message: StartMessage): Promise<void> {
  const { socketPath, engineModule, engineOptions, memoryLimitBytes } = message;
  process.once('disconnect', () => {
    removeSocket(socketPath);
    process.exit(0);
  });
  startWatchdog({ parentPid: process.ppid, memoryLimitBytes, socketPath });
  const { createEngine } = (await import(pathToFileURL(engineModule).href)) as { createEngine: CreateEngine };
  const engine = await createEngine(engineOptions);
  await startWorkerServer({ address: `unix:${socketPath}`, engine, version: packageVersion() });
  await tell({ type: 'ready' });
}

process.once('message', (message) => {
  start(message as StartMessage).catch(async (error: unknown) => {
    await tell({ type: 'failed', error: errorToJson(asError(error)) });
    process.exit(1);
  });
});
