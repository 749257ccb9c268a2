import { createHash } from 'node:crypto';
import type { Blob, Finding, FrameSequence, PictureU8, Reasoned } from '../../src/records/index.js';
import { activity } from '../../src/sequences/windows/activity.js';
import type { Source } from '../../src/sources/index.js';
import { frames } from '../../src/topology/operators/frames.js';
import { gate } from '../../src/topology/operators/gate.js';
import { reason } from '../../src/topology/operators/reason.js';
import { reorder } from '../../src/topology/operators/reorder.js';
import { track } from '../../src/topology/operators/track.js';
import { window } from '../../src/topology/operators/window.js';
import { topology } from '../../src/topology/topology.js';
import { findingOf, pictureOf, reasonedOf } from './findings.js';
import { Stage, type Box } from '../../fixtures/stage.js';

const thing: Box = { x: 24, y: 16, width: 20, height: 18, colour: [220, 60, 50] };

/** Something passes, something else comes and stays, and is taken away again, with rest in between; 6 s at 25 a second. */
export const shortStory = (seed = 1): readonly PictureU8[] => {
  const stage = new Stage({ width: 64, height: 48, seed });
  return Array.from({ length: 150 }, (_, i) => {
    const boxes: Box[] = [];
    if (i >= 20 && i < 44) boxes.push({ ...thing, x: -20 + (i - 20) * 4, y: 4, height: 10 });
    if (i >= 60 && i < 105) boxes.push(thing);
    return stage.draw({ boxes, noiseSigma: 1 });
  });
};

/** `watch` with windows that fit the story. */
export const quickWatch = topology('watch', ({ source }: { readonly source: Source }) =>
  frames(source).pipe(
    reorder({ allowedLatenessMs: 0 }),
    gate(),
    window(activity({ preRollMs: 400, postRollMs: 400, partMs: 500, quietMs: 400, settledEveryMs: 700 })),
    reason({ question: 'What changed?' }),
    track(),
  ),
);

/** One finding for each settled region, with a picture of its own: what a worker would make of the story. */
export function answerOf({ settled, ordinal, trigger, first, last }: FrameSequence): Reasoned {
  const told = settled.map(({ leftAt, restedAt }, i): [Finding, Blob] => {
    const bytes = Buffer.from(`${ordinal}/${i}`);
    const blob = { sha256: createHash('sha256').update(bytes).digest('hex'), mediaType: 'image/png', bytes };
    const kind = i % 2 === 0 ? 'APPEARED' : 'DISAPPEARED';
    return [findingOf({ kind, interval: { first: leftAt, last: restedAt }, pictures: [pictureOf(blob.sha256)] }), blob];
  });
  const moving = findingOf({
    kind: 'ACTIVITY',
    interval: { first, last },
    ongoing: true,
    identity: { trackId: ordinal },
  });
  return reasonedOf([...told.map(([finding]) => finding), ...(trigger === 'part' ? [moving] : [])], {
    blobs: told.map(([, blob]) => blob),
  });
}
