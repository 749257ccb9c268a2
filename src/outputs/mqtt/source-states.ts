import type { ChangeLog } from '../../log/index.js';
import type { ChangeEvent } from '../../records/index.js';

/** What there is to say of a source at a moment. */
export interface SourceState {
  /** ON while a lasting change or an activity is open. */
  readonly change: 'ON' | 'OFF';
  /** How many are. */
  readonly open: number;
  /** Of the last event; `null` before the first. */
  readonly sentence: string | null;
  readonly eventId: string | null;
}

/** As long as a state of Home Assistant may be, in characters. */
const MAX_SENTENCE = 255;
/** As many open changes of a source are remembered as the tracker remembers; beyond it the oldest are left out. */
const MAX_OPEN = 1_000;
const PAGE = 1_000;

/** What is open in each source, by what was told of it. Conditions, such as a change of light, are none of it. */
export class SourceStates {
  readonly #sources = new Map<string, { readonly open: Set<string>; last?: ChangeEvent }>();

  /** As it is by all that the log holds now, events that are still to be sent among them: they change nothing for good. */
  static async of(log: ChangeLog): Promise<SourceStates> {
    const states = new SourceStates();
    let afterChangeId: string | undefined;
    for (;;) {
      const page = await log.changes({ limit: PAGE, ...(afterChangeId !== undefined && { afterChangeId }) });
      for (const event of page) {
        const { last } = states.#at(event.source);
        states.take(event);
        // Changes come in the order of their first sight, so the last of them may be older than another.
        if (last !== undefined && timeOf(last) > timeOf(event)) states.#at(event.source).last = last;
      }
      if (page.length < PAGE) return states;
      afterChangeId = page.at(-1)?.changeId;
    }
  }

  /** Those of which an event was told. */
  get sources(): string[] {
    return [...this.#sources.keys()];
  }

  take(event: ChangeEvent): void {
    const source = this.#at(event.source);
    source.last = event;
    if (event.kind === 'CONDITION') return;
    source.open.delete(event.changeId);
    if (event.phase === 'ENDED') return;
    source.open.add(event.changeId);
    const [oldest] = source.open;
    if (source.open.size > MAX_OPEN) source.open.delete(oldest);
  }

  of(source: string): SourceState {
    const { open, last } = this.#sources.get(source) ?? { open: new Set() };
    return {
      change: open.size > 0 ? 'ON' : 'OFF',
      open: open.size,
      sentence: last === undefined ? null : shortened(last.statement),
      eventId: last?.eventId ?? null,
    };
  }

  #at(source: string): { readonly open: Set<string>; last?: ChangeEvent } {
    const known = this.#sources.get(source) ?? { open: new Set<string>() };
    this.#sources.set(source, known);
    return known;
  }
}

const timeOf = ({ interval }: ChangeEvent): number => interval.last.timeMs;

/** Characters, not code units: half of one would be no text. */
function shortened(statement: string): string {
  const characters = [...statement];
  return characters.length <= MAX_SENTENCE ? statement : `${characters.slice(0, MAX_SENTENCE - 1).join('')}…`;
}
