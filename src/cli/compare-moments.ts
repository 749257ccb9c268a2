import watch from '../../topologies/watch.js';
import { openLmdbLog } from '../log/lmdb.js';
import type { ChangeLog } from '../log/index.js';
import { BlinkstreamError } from '../records/index.js';
import { ifThere } from '../records/files.js';
import { stat } from 'node:fs/promises';
import { ByteBudget } from '../sources/budget.js';
import { distanceMs, momentsOf, type Moment, type MomentTime } from '../sources/moments.js';
import { openSource } from '../sources/open.js';
import type { CommandIo } from './command.js';
import { momentText } from './event-lines.js';
import { usageError } from './failure.js';
import type { CompareOptions } from './compare-options.js';
import { outputFolder, readRunRecord } from './output-folder.js';
import { timesOf } from './times-asked.js';
import { keyframesIn, type StoredKeyframe } from '../topology/scene-keyframes.js';

/** What is compared, and how it is called. */
export interface Compared {
  readonly name: string;
  readonly moments: readonly [Moment, Moment];
}

/** Two pictures do not tell when they were taken: the second is of a second later. */
const APART_MS = 1_000;
const BUDGET_BYTES = 512 * 2 ** 20;

/** @throws BlinkstreamError (usage) where it is not clear what is to be compared; what reading them throws */
export async function comparedOf(options: CompareOptions, io: CommandIo): Promise<Compared> {
  const { source, other, at, with: second } = options;
  if (other !== undefined) {
    if (at !== undefined || second !== undefined) {
      throw usageError('two pictures have no moments', 'leave out --at and --with, or the second picture');
    }
    const name = `${nameOf(source)}-${nameOf(other)}`;
    return { name, moments: [await pictureIn(source, 0, io), await pictureIn(other, 1, io)] };
  }
  if (at === undefined || second === undefined) {
    throw usageError('there is one thing to compare', 'give a second picture, or two moments: --at TIME --with TIME');
  }
  if ((await ifThere(stat(outputFolder(source).logFolder)))?.isDirectory()) {
    return storedMoments({ folder: source, camera: options.camera, times: [at, second] }, io);
  }
  if (options.camera !== undefined) throw usageError('--camera is of a log with several', 'leave it out');
  const times = timesOf(options);
  const opened = await openSource(source, { ...(times && { times }) });
  const [first, next] = await momentsOf(opened, [at, second], {
    budget: new ByteBudget(BUDGET_BYTES),
    signal: io.signal,
  });
  return { name: opened.name, moments: [first, next] };
}

const nameOf = (file: string): string => file.replace(/^.*[/\\]/, '').replace(/\.[^.]*$/, '');

async function pictureIn(file: string, n: number, { signal }: CommandIo): Promise<Moment> {
  const source = await openSource(file, { times: { intervalMs: APART_MS } });
  const [{ ref, content }] = await momentsOf(source, [{ elapsedMs: 0 }], {
    budget: new ByteBudget(BUDGET_BYTES),
    signal,
  });
  return { ref: { ...ref, index: n, eventTimeMs: n * APART_MS, elapsedMs: n * APART_MS }, content };
}

/** A picture that a log holds of a whole scene. */
type Stored = StoredKeyframe;

interface StoredMoments {
  /** With the log in it. */
  readonly folder: string;
  readonly camera: string | undefined;
  readonly times: readonly [MomentTime, MomentTime];
}

/** The pictures of the whole scene that a log holds nearest to two moments. */
async function storedMoments({ folder, camera, times }: StoredMoments, io: CommandIo): Promise<Compared> {
  const { logFolder, recordFile } = outputFolder(folder);
  const watched = (await readRunRecord(recordFile))?.source;
  const log = await openLmdbLog({ path: logFolder, readOnly: true });
  try {
    const cameras = await storedIn(log, [camera, watched]);
    const name = camera ?? (cameras.size === 1 ? [...cameras.keys()][0] : undefined);
    const stored = name === undefined ? undefined : cameras.get(name);
    if (name === undefined || stored === undefined) throw cameraUnknown(camera, [...cameras.keys()]);
    const moments: Moment[] = [];
    for (const time of times) moments.push(await nearest(log, stored, time, io));
    const [first, second] = moments;
    if (first.ref.elapsedMs === second.ref.elapsedMs) {
      throw momentUnknown('both moments are nearest to one and the same picture', 'give moments further apart');
    }
    return { name, moments: [first, second] };
  } finally {
    await log.close();
  }
}

/**
 * Whole pictures of the scene at rest, by source: before and after a change, and from time to time. A source of which
 * nothing was told is found by its name alone.
 */
async function storedIn(log: ChangeLog, names: readonly (string | undefined)[]): Promise<Map<string, Stored[]>> {
  const stored = new Map<string, Stored[]>();
  for await (const entry of log.read({ start: 'earliest', untilEnd: true, signal: new AbortController().signal })) {
    if (entry.type !== 'event') continue;
    const { source } = entry.event;
    const own = stored.get(source) ?? [];
    stored.set(source, own);
    for (const { role, frame, sha256, width, height } of entry.event.pictures) {
      const isScene = role === 'before' || role === 'after';
      if (isScene && frame !== undefined) own.push({ at: frame, sha256, width, height });
    }
  }
  for (const name of new Set([...stored.keys(), ...names.flatMap((name) => name ?? [])])) {
    const keyframes = keyframesIn(await log.checkpoint(`${watch.name}/${name}`));
    const own = [...(stored.get(name) ?? []), ...keyframes];
    if (own.length > 0) stored.set(name, own);
  }
  return stored;
}

async function nearest(log: ChangeLog, stored: readonly Stored[], time: MomentTime, io: CommandIo): Promise<Moment> {
  const offMs = ({ at }: Stored): number => Math.abs(distanceMs(time, at));
  for (const one of [...stored].sort((a, b) => offMs(a) - offMs(b))) {
    const { at, sha256, width, height } = one;
    const blob = await log.blobs.get(sha256);
    if (blob === undefined) continue;
    io.notes.line(`the nearest picture of that moment is of ${momentText(at)}, frame ${at.frame}`);
    return {
      ref: { index: at.frame, eventTimeMs: at.timeMs, elapsedMs: at.elapsedMs, width, height },
      content: { form: 'encoded', encoded: { mediaType: 'image/jpeg', bytes: blob.bytes } },
    };
  }
  throw momentUnknown('its log holds no picture of the scene', 'give it some seconds in which nothing moves');
}

const momentUnknown = (message: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code: 'MOMENT_NOT_FOUND', class: 'user', stage: 'source', hint });

const cameraUnknown = (camera: string | undefined, cameras: readonly string[]): BlinkstreamError => {
  const there = cameras.length === 0 ? 'nothing was told of any' : `it is of ${cameras.join(', ')}`;
  return camera === undefined && cameras.length > 1
    ? usageError(`the log is of several cameras: ${cameras.join(', ')}`, 'name one: --camera NAME')
    : momentUnknown(
        camera === undefined ? `the log is empty` : `the log has no camera ${camera}: ${there}`,
        'give a folder in which something was told',
      );
};
