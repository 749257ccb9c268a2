import {
  pointOf,
  type EvidencePicture,
  type Finding,
  type FramePoint,
  type Reasoned,
  type Region,
} from '../../src/records/index.js';
import { refOf } from '../../fixtures/stage.js';

export const somewhere: Region = { x: 40, y: 30, width: 30, height: 20 };

/** The moment of frame `index` at 25 frames a second. */
export const at = (index: number): FramePoint => pointOf(refOf(index));

export const during = (first: number, last: number): Finding['interval'] => ({ first: at(first), last: at(last) });

/** A finding, of a box that appeared unless told otherwise. */
export const findingOf = (part: Partial<Finding> = {}): Finding => ({
  kind: 'APPEARED',
  subject: { label: 'box', description: 'box in the middle', confidence: 0.8 },
  statement: 'A box appeared in the middle.',
  interval: during(10, 20),
  ...((part.kind ?? 'APPEARED') === 'APPEARED' && { after: { region: somewhere } }),
  ...(part.kind === 'DISAPPEARED' && { before: { region: somewhere } }),
  measures: [],
  pictures: [],
  ongoing: false,
  identity: {},
  verification: { verdict: 'SUPPORTED', checks: [] },
  ...part,
});

export const activityOf = (trackId: number, first: number, last: number, part: Partial<Finding> = {}): Finding =>
  findingOf({
    kind: 'ACTIVITY',
    statement: 'Something moved.',
    interval: during(first, last),
    after: { region: somewhere },
    path: [{ at: at(first), x: first, y: 0 }],
    ongoing: true,
    identity: { trackId },
    ...part,
  });

export const conditionOf = (first: number, last: number, part: Partial<Finding> = {}): Finding =>
  findingOf({
    kind: 'CONDITION',
    condition: 'LIGHTING',
    subject: { label: 'light', description: 'light', confidence: 1 },
    statement: 'The light changed.',
    interval: during(first, last),
    measures: [{ name: 'gain', unit: '', before: 1, after: 1.2 }],
    ...part,
  });

export const pictureOf = (sha256: string): EvidencePicture => ({
  role: 'after',
  sha256,
  mediaType: 'image/png',
  width: 1,
  height: 1,
});

export const reasonedOf = (findings: readonly Finding[], part: Partial<Reasoned> = {}): Reasoned => ({
  findings,
  blobs: [],
  contradicted: [],
  reasoner: 'fake',
  elapsedMs: 0,
  ...part,
});
