import { eventOf } from '../../fixtures/events.js';
import type { ChangeLog } from '../../src/log/index.js';
import type { ChangeEvent } from '../../src/records/index.js';

const eventsPerCommit = 500;

/** Fills a log with `count` events, each of whose sentences has `statementBytes` more than usual. */
export async function fill(log: ChangeLog, count: number, statementBytes = 0): Promise<void> {
  const checkpoint = { states: {}, positions: {} };
  const padding = 'x'.repeat(statementBytes);
  for (let first = 0; first < count; first += eventsPerCommit) {
    const length = Math.min(eventsPerCommit, count - first);
    const events = Array.from({ length }, (_, i) => padded(eventOf(first + i), padding));
    await log.commit({ key: 'bench', events, contradicted: [], checkpoint, blobs: [] });
  }
}

const padded = (event: ChangeEvent, padding: string): ChangeEvent => ({
  ...event,
  statement: `${event.statement}${padding}`,
});
