import { randomOf } from '../../fixtures/random.js';
import { type KillPoint, killPoints } from '../../src/records/kill-points.js';

/** A moment at which something is killed: a passing of a kill point, or so long after the start, from outside. */
export type Fault =
  { readonly at: KillPoint; readonly passing: number } | { readonly at: 'outside'; readonly afterMs: number };

export const faultKinds = [...killPoints, 'outside'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** How often, roughly, a point is passed for each step of the script. */
const passingsPerStep: Readonly<Record<KillPoint, number>> = {
  decode: 12,
  gate: 12,
  worker: 2,
  'before-commit': 3,
  'in-commit': 3,
  'after-commit': 3,
  publish: 5,
};
/** A fault may come this many times later than its share of the script: on average they leave some of it over. */
const latest = 1.6;
/** From before the program has started until some sequences are through. */
const latestOutsideMs = 4_000;

/**
 * As many faults of each kind, or one more, in random order, spread over a script of so many steps; the same for the
 * same seed.
 */
export function drawFaults(seed: number, count: number, steps: number): Fault[] {
  const random = randomOf(seed);
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  const kinds = Array.from({ length: count }, (_, i) => faultKinds[i % faultKinds.length]);
  for (let i = kinds.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [kinds[i], kinds[j]] = [kinds[j], kinds[i]];
  }
  const lastPassing = (at: KillPoint): number => Math.ceil((passingsPerStep[at] * latest * steps) / count);
  return kinds.map((at) =>
    at === 'outside' ? { at, afterMs: upTo(latestOutsideMs) } : { at, passing: upTo(lastPassing(at)) },
  );
}
