import { setTimeout as pause } from 'node:timers/promises';
import { mayPass, type BlinkstreamError } from './errors.js';
import { BackOff } from './back-off.js';

/**
 * What `attempt` gives, tried again with growing pauses while it fails for something that may pass.
 * @throws what else it throws; the signal's reason on abort
 */
export async function persist<T>(
  attempt: () => Promise<T>,
  { signal, failed }: { readonly signal: AbortSignal; readonly failed: (error: BlinkstreamError) => void },
): Promise<T> {
  const backOff = new BackOff();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!mayPass(error)) throw error;
      failed(error);
      await pause(backOff.pauseMs(0), undefined, { signal });
    }
  }
}
