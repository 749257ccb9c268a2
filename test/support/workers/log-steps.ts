import { createHash } from 'node:crypto';
import { eventOf } from '../../../fixtures/events.js';
import type { Commit } from '../../../src/log/index.js';
import type { ChangeEvent } from '../../../src/records/index.js';

export const writerKey = 'watch/yard';

/** The state in a checkpoint: how many commits there were, so that it can be held against the events. */
export interface CommitCount {
  readonly commits: number;
}

/** Commit number `n` of a writer, the same whenever it is made: one to five events, a picture of up to 200 kB. */
export function stepAt(n: number): Commit & { readonly events: readonly ChangeEvent[] } {
  const bytes = Buffer.alloc(1_000 + ((n * 7_919) % 200_000), n);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const events = Array.from({ length: 1 + ((n * 3) % 5) }, (_, i) => {
    const event = eventOf(n, { eventId: `${n}/${i}`, changeId: `${n}`, revision: i + 1 });
    return { ...event, pictures: event.pictures.map((picture) => ({ ...picture, sha256 })) };
  });
  const states: Record<string, unknown> & CommitCount = { commits: n + 1, mean: new Float32Array(500).fill(n) };
  return {
    key: writerKey,
    events,
    contradicted: [],
    checkpoint: { states, positions: { yard: { index: n, offset: String(n) } } },
    blobs: [{ sha256, mediaType: 'image/jpeg', bytes }],
  };
}

/** Ids of the events of the first `commits` commits, in order. */
export const idsUntil = (commits: number): string[] => Array.from({ length: commits }, (_, n) => stepIds(n)).flat();

const stepIds = (n: number): string[] => Array.from({ length: 1 + ((n * 3) % 5) }, (_, i) => `${n}/${i}`);
