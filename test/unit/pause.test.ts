import { describe, expect, it } from 'vitest';
import { pauseFor } from '../../src/records/pause.js';

describe('a pause', () => {
  it('is over after its time', async () => {
    const before = performance.now();
    await pauseFor(20, new AbortController().signal);
    expect(performance.now() - before).toBeGreaterThanOrEqual(19);
  });

  it('is over as soon as its signal aborts, and at once where it has', async () => {
    const stop = new AbortController();
    const pause = pauseFor(3_600_000, stop.signal);
    stop.abort(new Error('enough'));
    await pause;
    await pauseFor(3_600_000, stop.signal);
  });

  it('hides nothing but that', async () => {
    await expect(pauseFor(1, 'no signal' as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });
});
