import { expect, test } from 'vitest';
import { chaos } from '../chaos/chaos.js';
import { faultKinds } from '../chaos/faults.js';

test(
  'faults 1, 2: a run that is killed at every stage gives each event once, as the undisturbed run did',
  { timeout: 180_000 },
  async () => {
    const { eventsPerJob, hits, jobs } = await chaos({
      seed: 3,
      faults: faultKinds.length,
      script: { seed: 3, steps: 10, stepMs: 2_400, changesPerStep: 3, fps: 5 },
      signal: AbortSignal.timeout(170_000),
      tell: () => undefined,
    });
    expect(eventsPerJob).toBeGreaterThan(15);
    expect(hits).toEqual(new Map(faultKinds.map((kind) => [kind, 1])));
    const none = { lost: 0, duplicated: 0, examples: [] };
    for (const { overGrpc, inFile } of jobs) expect({ overGrpc, inFile }).toEqual({ overGrpc: none, inFile: none });
  },
);
