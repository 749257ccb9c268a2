import { randomOf } from '../../fixtures/random.js';
import { type KillPoint, killPoints } from '../../src/records/kill-points.js';

/** A moment at which something is killed: a passing of a kill point, or so long after the start, from outside. */
export type Fault =
  { readonly at: KillPoint; readonly passing: number } | { readonly at: 'outside'; readonly afterMs: number };

export const faultKinds = [...killPoints, 'outside'] as const;
export type FaultKind = (typeof faultKinds)[number];

/**
 * The last passing at which a point is hit. Frames pass by the hundred, commits by the second; with so few a job of some
 * hundred commits outlives two hundred faults.
 */
const lastPassing: Readonly<Record<KillPoint, number>> = {
  decode: 60,
  gate: 60,
  worker: 2,
  'before-commit': 2,
  'in-commit': 2,
  'after-commit': 2,
  publish: 6,
};
/** From before the program has started until some sequences are through. */
const latestOutsideMs = 4_000;

/** As many faults of each kind, or one more, in random order; the same for the same seed. */
export function drawFaults(seed: number, count: number): Fault[] {
  const random = randomOf(seed);
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  const kinds = Array.from({ length: count }, (_, i) => faultKinds[i % faultKinds.length]);
  for (let i = kinds.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [kinds[i], kinds[j]] = [kinds[j], kinds[i]];
  }
  return kinds.map((at) =>
    at === 'outside' ? { at, afterMs: upTo(latestOutsideMs) } : { at, passing: upTo(lastPassing[at]) },
  );
}
