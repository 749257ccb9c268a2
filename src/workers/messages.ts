import { z } from 'zod';
import type { EngineOptions } from './index.js';

/** What a parent tells its child first; over the IPC channel, because arguments can be read by every user. */
export interface StartMessage {
  /** Absolute path of the socket that it is to serve on. */
  readonly socketPath: string;
  /** Absolute path or URL of the module that exports `createEngine`. */
  readonly engineModule: string;
  readonly engineOptions: EngineOptions;
  /** Resident memory beyond which it ends itself. */
  readonly memoryLimitBytes: number;
}

/** What a child tells its parent: that it serves, or why it cannot. */
export const childMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('failed'), error: z.string() }),
]);
export type ChildMessage = z.infer<typeof childMessage>;

/**
 * Ends a child that is over its memory limit. A signal and not an exit code, because only a signal ends a process
 * whose main thread sits in native code; its default action ends the process and nothing else here uses it.
 */
export const outOfMemorySignal = 'SIGUSR2';
