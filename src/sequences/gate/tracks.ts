import { areaOf, centreOf, intersectionOf, iou, overlapOfSmaller, shareIn, unionOf } from '../../pixels/geometry.js';
import type { FramePoint, Region, TrackPoint } from '../../records/index.js';

/** A moving thing as followed so far; plain, lives in the checkpoint. */
export interface Track {
  id: number;
  region: Region;
  /** Movement of the box's centre, px per ms, smoothed. */
  vx: number;
  vy: number;
  born: FramePoint;
  origin: Region;
  seenMs: number;
  /** When it last had a box of its own, rather than a share in one of several things. */
  aloneMs: number;
  hits: number;
  /** Area of its box, px², smoothed. */
  areaPx: number;
  /** Everything that it has covered. */
  sweep: Region;
}

export interface TracksState {
  nextId: number;
  tracks: Track[];
}

/** Without a match for this long a track is over; one that is not sure yet sooner, since what it was may have been chance. */
const LOST_MS = 600;
const UNSURE_LOST_MS = 250;
/** A thing that shares a box with others goes on as it went before for so long at most: nobody sees whether it does. */
const HIDDEN_MS = 1_000;
/** Where frames are far apart, one in which a thing is not seen does not end its track. */
const MISSED_FRAMES = 1.5;
/** Seen this often a track is a thing of its own, also while it touches another. */
const SURE_HITS = 5;

const predicted = (track: Track, nowMs: number): Region => {
  const dt = nowMs - track.seenMs;
  return { ...track.region, x: track.region.x + track.vx * dt, y: track.region.y + track.vy * dt };
};

/**
 * Nearness of a box to a predicted box, 0–1: overlap, or else a short way between centres against their size. A box that
 * covers the predicted one many times over is more likely another's, or that of several.
 */
function affinity(a: Region, b: Region): number {
  const overlap = overlapOfSmaller(a, b);
  const { x: ax, y: ay } = centreOf(a);
  const { x: bx, y: by } = centreOf(b);
  const reach = (Math.sqrt(a.width * a.height) + Math.sqrt(b.width * b.height)) / 2;
  const near = 1 - Math.hypot(ax - bx, ay - by) / (1.5 * reach);
  const alike = Math.min(a.width * a.height, b.width * b.height) / Math.max(a.width * a.height, b.width * b.height);
  return overlap > 0.2 ? 0.5 + (overlap + iou(a, b)) / 4 : near > 0 && alike > 0.25 ? near / 2 : 0;
}

/**
 * Links the boxes of one frame to the tracks, nearest pairs first (greedy, constant velocity). Parts of one thing that
 * fall apart stay with its track as long as they lie in its predicted box; things that pass so closely that they make
 * one box go on by their own velocities until they part. A moving box that no track claims begins one.
 * Returns the tracks as this frame shows them.
 * @param dtMs since the frame before
 */
export function linkTracks(
  state: TracksState,
  boxes: readonly { readonly region: Region; readonly moving: boolean }[],
  now: FramePoint,
  dtMs: number,
): TrackPoint[] {
  const nowMs = now.elapsedMs;
  const where = new Map(state.tracks.map((track) => [track, predicted(track, nowMs)]));
  const taken = new Set<number>();
  const parts = new Map<Track, Region[]>();
  const hidden = new Set<Track>();

  boxes.forEach(({ region }, box) => {
    const inside = state.tracks.filter(
      (t) => t.hits >= SURE_HITS && nowMs - t.aloneMs <= HIDDEN_MS && shareIn(where.get(t) ?? t.region, region) > 0.6,
    );
    if (inside.length < 2 || areaOf(region) < 1.3 * Math.max(...inside.map((t) => areaOf(t.region)))) return;
    taken.add(box);
    for (const track of inside) {
      parts.set(track, [intersectionOf(where.get(track) ?? track.region, region)]);
      hidden.add(track);
    }
  });

  const pairs = state.tracks
    .filter((track) => !parts.has(track))
    .flatMap((track) =>
      boxes.map(({ region }, box) => ({
        ...{ track, box },
        score: isOutgrownBy(track, region) ? 0 : affinity(where.get(track) ?? track.region, region),
      })),
    )
    .filter(({ box, score }) => score > 0 && !taken.has(box))
    .sort((a, b) => b.score - a.score || a.track.id - b.track.id || a.box - b.box);
  for (const { track, box } of pairs) {
    if (taken.has(box)) continue;
    const own = parts.get(track);
    // A further part joins only where it lies inside what the track is expected to cover.
    const { region } = boxes[box];
    if (own !== undefined && shareIn(region, grown(where.get(track) ?? track.region)) < 0.8) continue;
    if (own !== undefined && !areOneThing([...own, region])) continue;
    taken.add(box);
    parts.set(track, [...(own ?? []), region]);
  }

  for (const [track, own] of parts) {
    if (!hidden.has(track)) measure(track, unionOf(own), nowMs);
    see(track, unionOf(own), nowMs);
  }
  const seen = [...parts.keys()];
  boxes.forEach(({ region, moving }, box) => {
    if (taken.has(box) || !moving) return;
    const track: Track = {
      id: state.nextId++,
      region,
      sweep: region,
      vx: 0,
      vy: 0,
      born: now,
      origin: region,
      seenMs: nowMs,
      aloneMs: nowMs,
      hits: 1,
      areaPx: areaOf(region),
    };
    state.tracks.push(track);
    seen.push(track);
  });
  state.tracks = state.tracks.filter(
    ({ seenMs, hits }) => nowMs - seenMs <= Math.max(hits < SURE_HITS ? UNSURE_LOST_MS : LOST_MS, MISSED_FRAMES * dtMs),
  );
  return seen
    .map(({ id, region, born, origin, sweep }) => ({ id, region, born, origin, sweep }))
    .sort((a, b) => a.id - b.id);
}

/** A thing that is known does not grow by more than this from one frame to the next: what does is something else as well. */
const MOST_GROWTH = 4;

const isOutgrownBy = ({ hits, areaPx }: Track, region: Region): boolean =>
  hits >= SURE_HITS && areaOf(region) > MOST_GROWTH * areaPx;

/** Parts fill less than this share of the box around them all where they are several things. */
const FILLED = 0.4;

/** A box that holds hardly anything between its parts would swallow whatever passes there next. */
const areOneThing = (parts: readonly Region[]): boolean =>
  parts.reduce((sum, part) => sum + areaOf(part), 0) >= FILLED * areaOf(unionOf(parts));

const grown = (r: Region): Region => ({
  x: r.x - r.width * 0.15,
  y: r.y - r.height * 0.15,
  width: r.width * 1.3,
  height: r.height * 1.3,
});

/** How far both edges went: what grows, comes in or is partly covered shifts one of them, and with it its centre. */
const wayOf = (first: number, second: number): number =>
  Math.sign(first) === Math.sign(second) ? Math.sign(first) * Math.min(Math.abs(first), Math.abs(second)) : 0;

/** Learns how a thing moves from a box of its own. */
function measure(track: Track, region: Region, nowMs: number): void {
  const dt = Math.max(1, nowMs - track.seenMs);
  const { x, y, width, height } = track.region;
  const blend = 0.3;
  track.vx += blend * (wayOf(region.x - x, region.x + region.width - x - width) / dt - track.vx);
  track.vy += blend * (wayOf(region.y - y, region.y + region.height - y - height) / dt - track.vy);
  track.areaPx += blend * (areaOf(region) - track.areaPx);
  track.aloneMs = nowMs;
  track.hits++;
}

function see(track: Track, region: Region, nowMs: number): void {
  track.region = region;
  track.sweep = unionOf([track.sweep, region]);
  track.seenMs = nowMs;
}
