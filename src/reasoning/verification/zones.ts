import type { SceneEvidence } from '../../evidence/scene.js';
import { centreOf } from '../../pixels/geometry.js';
import { zonesAt } from '../../pixels/zones.js';
import type { Claim } from '../claim.js';
import type { Sentence } from './sentence.js';
import { anyOf } from './vocabulary.js';

/** `in zone desk`: the thing was there, before, after or on its way. Names of zones may hold any word; they are taken out. */
export function zoneCheck(sentence: Sentence, claim: Claim, evidence: SceneEvidence): void {
  const zones = evidence.sequence.zones ?? [];
  if (zones.length > 0) {
    const touched = new Set(zonesTouched(claim, evidence).map((name) => name.toLowerCase()));
    const names = anyOf(zones.map(({ name }) => name.toLowerCase()));
    sentence.take(
      new RegExp(`\\bin zone (${names})(?!\\w)`, 'g'),
      ([, said]) => touched.has(said),
      'is not where it was',
    );
  }
  sentence.take(/\bin zone\b/g, () => false, 'names a zone that there is none of');
}

/** Names of the zones that a claim's boxes and its way lie in, each once. */
export function zonesTouched(claim: Claim, { sequence, tracks }: SceneEvidence): string[] {
  const { zones } = sequence;
  if (zones === undefined) return [];
  const picture = sequence.frames[0].ref;
  const track = tracks.find(({ id }) => id === claim.identity.trackId);
  const boxes = [claim.before?.region, claim.after?.region, track?.firstRegion, track?.lastRegion];
  const points = [...boxes.flatMap((box) => (box === undefined ? [] : [centreOf(box)])), ...(claim.path ?? [])];
  return [...new Set(points.flatMap(({ x, y }) => zonesAt(zones, x, y, picture)))];
}
