import { iou } from '../pixels/geometry.js';
import type { DetectedObject } from '../records/index.js';

/** Detections down to this confidence are asked for, so that it shows between which classes the detector wavers, 0–1. */
export const HEARD_CONFIDENCE = 0.1;
/** Least confidence of a name, 0–1. */
const NAMED_CONFIDENCE = 0.35;
/** Least share of a name in what all classes together are given at its place. */
const DECIDED_SHARE = 0.6;
/** Boxes that overlap by more are about one thing, whatever their classes. */
const ONE_THING = 0.5;

/**
 * The things that the detector is decided about, best first, each once: a thing that it does not know comes under many
 * classes at once, and the highest of them is chance. Measured on filmed and drawn scenes: right names hold at least 0.7
 * of what all classes are given there, wrong ones at most 0.55, while their confidences are alike (0.34–0.73, 0.35–0.66).
 *
 * @param seen detections down to `HEARD_CONFIDENCE`, several classes for one thing among them
 */
export function decidedObjects(seen: readonly DetectedObject[]): DetectedObject[] {
  const decided: DetectedObject[] = [];
  let left = [...seen].sort((a, b) => b.confidence - a.confidence);
  for (let [best] = left; best !== undefined && best.confidence >= NAMED_CONFIDENCE; [best] = left) {
    const { region } = best;
    const same = left.filter((o) => iou(o.region, region) > ONE_THING);
    const byClass = new Map<string, number>();
    for (const { label, confidence } of same) byClass.set(label, Math.max(confidence, byClass.get(label) ?? 0));
    const all = [...byClass.values()].reduce((sum, confidence) => sum + confidence, 0);
    if (best.confidence >= DECIDED_SHARE * all) decided.push(best);
    left = left.filter((o) => o !== best && !same.includes(o));
  }
  return decided;
}
