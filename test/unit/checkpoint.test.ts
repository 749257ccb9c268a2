import { deserialize, serialize } from 'node:v8';
import { expect, it } from 'vitest';
import { decodeCheckpoint, encodeCommit } from '../../src/log/commit.js';
import type { Checkpoint } from '../../src/records/index.js';

const checkpoint: Checkpoint = {
  states: { gate: { noise: Float32Array.of(1, 2.5), seen: new Map([['a', 1]]) } },
  positions: {},
};
const written = encodeCommit({ key: 'watch/yard', events: [], contradicted: [], checkpoint, blobs: [] }).checkpoint;

const failsWith = (code: string) =>
  expect.objectContaining({ code, class: 'user', message: expect.stringContaining('watch/yard') as string }) as Error;

it('reads back the states that were written, typed arrays and maps among them', () => {
  expect(decodeCheckpoint('watch/yard', written)).toEqual(checkpoint);
});

it('refuses states of another version, and what is none', () => {
  const { format } = deserialize(written) as { format: number };
  for (const other of [serialize({ format: format + 1, checkpoint }), serialize(checkpoint)]) {
    expect(() => decodeCheckpoint('watch/yard', other)).toThrow(failsWith('CHECKPOINT_FORMAT'));
  }
  expect(() => decodeCheckpoint('watch/yard', Buffer.from('no'))).toThrow(failsWith('CHECKPOINT_UNREADABLE'));
});
