import { randomOf } from '../../../fixtures/random.js';
import type { KillPoint } from '../../../src/records/kill-points.js';

/** What goes wrong. Instances are numbered. */
export type KafkaFault =
  | { readonly at: Exclude<KillPoint, 'worker' | 'publish'>; readonly instance: number; readonly passing: number }
  | { readonly at: 'instance'; readonly instances: readonly number[] }
  | { readonly at: 'worker-process'; readonly instance: number }
  | { readonly at: 'broker' }
  /** Another instance joins, or leaves in good order. */
  | { readonly at: 'join' | 'leave' }
  /** Joins and leaves one after the other. */
  | { readonly at: 'storm'; readonly rounds: number }
  /** A subscriber that reads nothing. */
  | { readonly at: 'stall'; readonly instance: number };

export const kafkaFaultKinds = [
  'decode',
  'gate',
  'before-commit',
  'in-commit',
  'after-commit',
  'instance',
  'worker-process',
  'broker',
  'join',
  'leave',
  'storm',
  'stall',
] as const;
export type KafkaFaultKind = (typeof kafkaFaultKinds)[number];

export interface DrawnFault {
  readonly fault: KafkaFault;
  /** After the one of the same target before it, ms. */
  readonly afterMs: number;
}

/** Faults of one target follow each other; those of different ones may overlap. */
export function targetOf(fault: KafkaFault): string {
  if ('instance' in fault) return `instance ${fault.instance}`;
  return fault.at === 'broker' || fault.at === 'instance' ? 'host' : 'guest';
}

/** The latest passing of a stage at which it may kill; a script that is short reaches no late one in most lives. */
export interface DeepestPassing {
  /** Of a frame, decoded or gated. */
  readonly frame: number;
  readonly commit: number;
}

/** The broker takes seconds to come back: a part of the faults that is told with the result. */
const brokerShare = 1 / 60;

/** In random order, as many of each kind as of any other but for the broker; the same for the same seed. */
export function drawKafkaFaults(seed: number, count: number, instances: number, deepest: DeepestPassing): DrawnFault[] {
  const random = randomOf(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const others = kafkaFaultKinds.filter((kind) => kind !== 'broker');
  const ofBroker = Math.max(1, Math.round(count * brokerShare));
  const kinds: KafkaFaultKind[] = Array.from({ length: count }, (_, i) =>
    i < ofBroker ? 'broker' : others[i % others.length],
  );
  for (let i = kinds.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [kinds[i], kinds[j]] = [kinds[j], kinds[i]];
  }
  return kinds.map((at) => ({ fault: faultOf(at, below, instances, deepest), afterMs: 100 + below(900) }));
}

function faultOf(
  at: KafkaFaultKind,
  below: (n: number) => number,
  instances: number,
  deepest: DeepestPassing,
): KafkaFault {
  const instance = below(instances);
  switch (at) {
    case 'instance':
      // Now and then all of them at once.
      return { at, instances: below(5) === 0 ? Array.from({ length: instances }, (_, i) => i) : [instance] };
    case 'worker-process':
    case 'stall':
      return { at, instance };
    case 'broker':
    case 'join':
    case 'leave':
      return { at };
    case 'storm':
      return { at, rounds: 2 + below(3) };
    case 'decode':
    case 'gate':
      return { at, instance, passing: 1 + below(deepest.frame) };
    default:
      return { at, instance, passing: 1 + below(deepest.commit) };
  }
}
