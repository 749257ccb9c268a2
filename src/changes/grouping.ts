import { createHash } from 'node:crypto';
import type { ChangeEvent, Finding, Occurrence, Region } from '../records/index.js';
import { changeIdOf, eventOf } from './event.js';

/** What was found in one screenshot. */
export interface FoundIn {
  /** The place that it shows. */
  readonly source: string;
  readonly finding: Finding;
  readonly sequenceOrdinal: number;
  readonly reasoner: string;
}

/**
 * One event for each change, however many screenshots show it: the same kind with the same words, colours and shift, and
 * where those say nothing the same look. Its id depends on the place that shows it first and on what changed, so that it
 * is the same again when the same is compared again.
 */
export function groupedEvents(topology: string, found: readonly FoundIn[]): ChangeEvent[] {
  const groups = new Map<string, FoundIn[]>();
  for (const one of found) {
    const key = one.finding.subject.label === 'screenshot' ? one.finding.statement : keyOf(one.finding);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const times = new Map<string, number>();
  return [...groups].map(([key, group]) => {
    const [{ source, finding, sequenceOrdinal, reasoner }] = group;
    const digest = createHash('sha256').update(key).digest('hex').slice(0, 12);
    const id = `${source} ${digest}`;
    const nth = (times.get(id) ?? 0) + 1;
    times.set(id, nth);
    const changeId = changeIdOf(topology, source, nth === 1 ? digest : `${digest}.${nth}`);
    const event = eventOf(finding, {
      ...{ changeId, revision: 1, phase: 'ENDED', topology, source, sequenceOrdinal, reasoner },
    });
    return group.length === 1 ? event : { ...event, occurrences: group.map(occurrenceOf) };
  });
}

const occurrenceOf = ({ source, finding: { before, after } }: FoundIn): Occurrence => ({
  source,
  ...(before && { before }),
  ...(after && { after }),
});

/** A place that only one of the releases has a screenshot of. */
export function unpaired(side: 'before' | 'after', source: string): FoundIn {
  const [kind, verb] = side === 'after' ? (['APPEARED', 'is new'] as const) : (['DISAPPEARED', 'is gone'] as const);
  const point = { frame: 0, timeMs: 0, elapsedMs: 0 };
  return {
    source,
    sequenceOrdinal: 0,
    reasoner: 'measured',
    finding: {
      kind,
      subject: { label: 'screenshot', description: source, confidence: 1 },
      statement: `the screenshot ${source} ${verb}`,
      interval: { first: point, last: point },
      measures: [],
      pictures: [],
      ongoing: false,
      identity: {},
      verification: {
        verdict: 'SUPPORTED',
        checks: [{ name: 'file', verdict: 'SUPPORTED', detail: `only the release ${side} has such a file` }],
      },
    },
  };
}

/** What changed, whichever screenshot it is seen in. */
function keyOf({ kind, condition, subject, before, after, shift, pictures }: Finding): string {
  const said = [before?.text, after?.text, before?.color, after?.color, shift?.dx, shift?.dy];
  // Where nothing is said that could tell one from another, the look does.
  const look = said.every((one) => one === undefined)
    ? pictures.filter(({ role }) => role.endsWith('-crop')).map(({ sha256 }) => sha256)
    : [];
  // Two things that went the same way are one where they are of one size.
  const size = kind === 'MOVED' ? [before?.region?.width, before?.region?.height] : [];
  const place = kind === 'LAYOUT_SHIFTED' || kind === 'RESIZED' ? [textOf(before?.region), textOf(after?.region)] : [];
  if (kind === 'CONDITION') return JSON.stringify([kind, condition]);
  return JSON.stringify([kind, subject.label, ...said.map((one) => one ?? null), look, size, place]);
}

const textOf = (region?: Region): string =>
  region === undefined ? '' : [region.x, region.y, region.width, region.height].join(' ');
