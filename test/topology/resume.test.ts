import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { drawShelf, SHELF, type ShelfScript } from '../../fixtures/shelf.js';
import { memoryLog } from '../../src/log/memory.js';
import type { ChangeLog, Commit } from '../../src/log/index.js';
import type { ReasonSequence } from '../../src/reasoning/index.js';
import type { Blob, Finding, FrameSequence, Lease, SequenceFrame } from '../../src/records/index.js';
import { leaseOf } from '../../src/sources/budget.js';
import type { Source } from '../../src/sources/index.js';
import { run } from '../../src/topology/run.js';
import watch from '../../topologies/watch.js';

const script: ShelfScript = { seed: 5, steps: 16, stepMs: 2_600, changesPerStep: 3, fps: 5 };

/** Rest in a light that fades and returns, then the shelf; something crosses now and then, and there is always grain. */
const drawn = [...drawShelf(script)];
const rest = Array.from({ length: 45 }, () => drawn[0]);
const frames = [...rest, ...drawn].map((data, index) => disturbed(data, index));

function disturbed(still: Uint8Array, index: number): Uint8Array {
  const data = still.slice();
  const gain = index >= 20 && index < 40 ? 1 - 0.4 * Math.sin(((index - 20) / 20) * Math.PI) : 1;
  const x = index < rest.length ? Infinity : (index % 70) * 8 - 160;
  for (let row = 0; row < SHELF.heightPx; row++)
    for (let column = 0; column < SHELF.widthPx; column++) {
      const at = (row * SHELF.widthPx + column) * 3;
      const crosses = column >= x && column < x + 26 && row > 70 && row < 100;
      for (let c = 0; c < 3; c++) {
        const value = crosses ? [200, 30, 60][c] : data[at + c];
        const grain = ((index * 31 + row * 17 + column * 7 + c) % 5) - 2;
        data[at + c] = Math.max(0, Math.min(255, value * gain + grain));
      }
    }
  return data;
}

const source: Source = {
  name: 'shelf',
  async *read({ from, budget, signal }) {
    for (let index = from?.index ?? 0; index < frames.length; index++) {
      const bytes = frames[index].length;
      // No faster than what follows, so that a run that is stopped early has not gated all that there is.
      await nextTurn();
      await budget.take(bytes, signal);
      const elapsedMs = (index * 1_000) / script.fps;
      yield {
        ref: {
          source: 'shelf',
          index,
          eventTimeMs: elapsedMs,
          elapsedMs,
          position: { index, offset: `frame ${index}` },
          width: SHELF.widthPx,
          height: SHELF.heightPx,
        },
        lease: leaseOf(
          {
            form: 'pixels',
            picture: { width: SHELF.widthPx, height: SHELF.heightPx, channels: 3, type: 'u8', data: frames[index] },
          },
          bytes,
          () => budget.give(bytes),
        ),
      };
    }
    return { framesRead: frames.length, complete: true, unreadable: [] };
  },
};

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Everything that a worker is given of a sequence, its pixels included; any difference is another text. */
function account(sequence: FrameSequence): string {
  const plain = ({ lease, ...frame }: SequenceFrame<Lease>) => {
    const content = lease?.content();
    return { ...frame, pixels: content?.form === 'pixels' ? sha256(content.picture.data as Uint8Array) : undefined };
  };
  return JSON.stringify({
    ...sequence,
    checkpoint: undefined,
    settledScene: undefined,
    frames: sequence.frames.map(plain),
    baseline: sequence.baseline && plain(sequence.baseline),
  });
}

/** Claims one of each kind from what the sequence holds, and says in every sentence what all of the sequence was. */
const reasonByHash: ReasonSequence = (sequence) => {
  const statement = `${sequence.trigger} ${sha256(account(sequence))}`;
  const picture: Blob = { bytes: Buffer.from(statement), mediaType: 'image/jpeg', sha256: sha256(statement) };
  const finding = (kind: Finding['kind'], fields: Partial<Finding>): Finding => ({
    kind,
    subject: { label: 'object', description: 'object', confidence: 0 },
    statement,
    interval: { first: sequence.first, last: sequence.last },
    measures: [],
    pictures: [{ role: 'after', sha256: picture.sha256, mediaType: picture.mediaType, width: 1, height: 1 }],
    ongoing: true,
    identity: {},
    verification: { verdict: 'SUPPORTED', checks: [] },
    ...fields,
  });
  const tracks = new Map(
    sequence.frames.flatMap(({ evidence }) => evidence?.tracks.map((t) => [t.id, t] as const) ?? []),
  );
  const causes = new Set(sequence.frames.flatMap(({ evidence }) => evidence?.nuisances.map((n) => n.cause) ?? []));
  const findings = [
    // Kinds take turns, so that the tracker meets changes that reverse earlier ones.
    ...sequence.settled.map(({ region }, i) =>
      finding((sequence.ordinal + i) % 2 === 0 ? 'APPEARED' : 'DISAPPEARED', { after: { region } }),
    ),
    ...[...tracks.values()].map(({ id, region }) =>
      finding('ACTIVITY', { identity: { trackId: id }, after: { region }, path: [] }),
    ),
    ...[...causes].map((condition) => finding('CONDITION', { condition })),
    ...(sequence.trigger === 'settled' ? [finding('TREND', {})] : []),
  ];
  return Promise.resolve({ findings, contradicted: [], blobs: [picture], reasoner: 'measured', elapsedMs: 0 });
};

/** Windows short enough that every way of closing one comes about many times. */
const options = {
  source,
  window: { partMs: 600, maxMs: 3_000, quietMs: 700, settledEveryMs: 3_000, preRollMs: 600, postRollMs: 600 },
};

/** All of a commit as text, its pictures by name: equality of the checkpoint's arrays takes minutes value by value. */
const told = ({ blobs, ...step }: Commit): string =>
  JSON.stringify({ ...step, blobs: blobs.map((blob) => blob.sha256).sort() }, (_, value: unknown) => {
    if (ArrayBuffer.isView(value)) return sha256(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  });

/** Commits that a run which goes on from a checkpoint is followed for. */
const FOLLOWED = 4;

/** Runs to the end, or until so many commits were made; gives them. */
async function runOver(log: ChangeLog, most = Infinity): Promise<Commit[]> {
  const commits: Commit[] = [];
  const enough = new AbortController();
  const recording: ChangeLog = Object.assign(Object.create(log) as ChangeLog, {
    commit: async (step: Commit) => {
      enough.signal.throwIfAborted();
      commits.push(step);
      if (commits.length === most) enough.abort(new Error('enough'));
      return log.commit(step);
    },
    checkpoint: (key: string) => log.checkpoint(key),
    blobs: log.blobs,
  });
  const running = run({
    topology: watch,
    options,
    source,
    log: recording,
    workers: { reason: reasonByHash, capacity: 2 },
    signal: enough.signal,
  });
  await running.catch((error: unknown) => {
    if (error !== enough.signal.reason) throw error;
  });
  return commits;
}

describe('a run that goes on from a checkpoint', () => {
  it('commits exactly what the undisturbed run committed next, whichever checkpoint it is', async () => {
    const commits = await runOver(memoryLog({ partitions: 1 }));
    const events = commits.flatMap((commit) => commit.events);
    const said = new Set(events.map(({ statement }) => statement.split(' ')[0]));
    expect([...said]).toEqual(expect.arrayContaining(['part', 'activity', 'settled', 'condition']));
    expect(new Set(events.map(({ phase }) => phase))).toEqual(new Set(['STARTED', 'ENDED']));
    expect(commits.length).toBeGreaterThan(40);
    // Commits hold the whole state, so what is the same for the next ones after each is the same to the end.
    for (const [k, commit] of commits.slice(0, -1).entries()) {
      const log = memoryLog({ partitions: 1 });
      await log.commit(commit);
      const next = await runOver(log, FOLLOWED);
      expect(next.map(told), `after commit ${k}`).toEqual(commits.slice(k + 1, k + 1 + FOLLOWED).map(told));
    }
  });

  it('does nothing more after the last', async () => {
    const log = memoryLog({ partitions: 1 });
    expect((await runOver(log)).length).toBeGreaterThan(0);
    expect(await runOver(log)).toEqual([]);
  });
});
