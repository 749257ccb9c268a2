export interface Difference {
  readonly lost: number;
  readonly duplicated: number;
  /** The first events that were lost, and those that were there too often or are unlike any expected. */
  readonly examples: readonly string[];
}

const shownExamples = 3;

/**
 * Holds events as text against those of the undisturbed run. An event whose content differs is another one: it counts as
 * lost, and what came instead as duplicated. So does one out of place, as order is promised too.
 */
export function differenceOf(expected: readonly string[], found: readonly string[]): Difference {
  const lost = without(expected, found);
  const extra = without(found, expected);
  if (lost.length === 0 && extra.length === 0) {
    const misplaced = expected.filter((event, i) => event !== found[i]);
    return { lost: misplaced.length, duplicated: misplaced.length, examples: some('out of place', misplaced) };
  }
  return {
    lost: lost.length,
    duplicated: extra.length,
    examples: [...some('lost', lost), ...some('duplicated', extra)],
  };
}

const some = (what: string, events: readonly string[]): string[] =>
  events.slice(0, shownExamples).map((event) => `${what}: ${event}`);

/** What is left of `all` when each of `taken` is taken out once. */
function without(all: readonly string[], taken: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const event of taken) left.set(event, (left.get(event) ?? 0) + 1);
  return all.filter((event) => {
    const count = left.get(event) ?? 0;
    left.set(event, count - 1);
    return count <= 0;
  });
}
