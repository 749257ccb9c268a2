import type { FrameEvidence, Nuisance, SettledRegion, TrackPoint } from '../../src/records/index.js';
import { pointOf } from '../../src/records/index.js';
import { somewhere } from './findings.js';
import { refOf } from '../../fixtures/stage.js';

/** What a frame shows, in a letter: `.` nothing, `n` a nuisance, `a` movement, `s` movement that comes to rest, `u` that the scene is not seen. */
export type Mark = '.' | 'n' | 'a' | 's' | 'u';

const nuisanceOf: Readonly<Partial<Record<Mark, Nuisance>>> = {
  n: { cause: 'LIGHTING', strength: 1.2, unit: 'gain' },
  u: { cause: 'OBSCURED', strength: 0.01, unit: 'of its detail' },
};

/** What the gate would say of a frame of this mark; of several tracks the frames show each in turn as the largest. */
export function evidenceOf(mark: Mark, index: number, tracks = 1): FrameEvidence {
  const active = mark === 'a' || mark === 's';
  const nuisance = nuisanceOf[mark];
  return {
    motion: mark === 'u' ? 'unseen' : active ? 'active' : 'still',
    nuisances: nuisance ? [nuisance] : [],
    tracks: active ? Array.from({ length: tracks }, (_, i) => trackOf(i + 1, index)) : [],
    settled: mark === 's' ? [settledOf(index)] : [],
    light: { gain: 1, offset: 0 },
    overlays: [],
    noiseSigma: 1,
    illumination: 0,
    changedShare: active ? 0.1 : 0,
  };
}

export const settledOf = (index: number): SettledRegion => ({
  region: somewhere,
  leftAt: pointOf(refOf(Math.max(0, index - 5))),
  restedAt: pointOf(refOf(index)),
});

function trackOf(id: number, index: number): TrackPoint {
  const size = 10 + ((index * 7 + id * 13) % 40);
  const region = { x: 10, y: 10, width: size, height: size };
  const born = pointOf(refOf(0));
  return { id, region, born, origin: region, sweep: region };
}
