import { areaOf, centreOf, intersectionOf, overlapOfSmaller, shareIn, unionOf } from '../../pixels/geometry.js';
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
  hits: number;
  /** Everything that it has covered. */
  sweep: Region;
  /** What it has covered since it last rested; undefined while it rests. */
  stir: Region | undefined;
}

export interface TracksState {
  nextId: number;
  tracks: Track[];
}

/** Without a match for this long a track is over. */
const LOST_MS = 600;

const predicted = (track: Track, nowMs: number): Region => {
  const dt = nowMs - track.seenMs;
  return { ...track.region, x: track.region.x + track.vx * dt, y: track.region.y + track.vy * dt };
};

/** Nearness of a box to a predicted box, 0–1: overlap, or else a short way between centres against their size. */
function affinity(a: Region, b: Region): number {
  const overlap = overlapOfSmaller(a, b);
  const { x: ax, y: ay } = centreOf(a);
  const { x: bx, y: by } = centreOf(b);
  const reach = (Math.sqrt(a.width * a.height) + Math.sqrt(b.width * b.height)) / 2;
  const near = 1 - Math.hypot(ax - bx, ay - by) / (1.5 * reach);
  const alike = Math.min(a.width * a.height, b.width * b.height) / Math.max(a.width * a.height, b.width * b.height);
  return overlap > 0.2 ? 0.5 + overlap / 2 : near > 0 && alike > 0.25 ? near / 2 : 0;
}

/** A box of one frame and the track that claims it. */
export interface Link {
  readonly box: number;
  readonly track: Track;
}

/**
 * Links the boxes of one frame to the tracks, nearest pairs first (greedy, constant velocity). Parts of one thing that
 * fall apart stay with its track as long as they lie in its predicted box; things that pass so closely that they make
 * one box go on by their own velocities until they part. A moving box that no track claims begins one.
 * Returns the tracks as this frame shows them and which box went to which.
 */
export function linkTracks(
  state: TracksState,
  boxes: readonly { readonly region: Region; readonly moving: boolean }[],
  now: FramePoint,
): { readonly points: TrackPoint[]; readonly links: Link[] } {
  const nowMs = now.elapsedMs;
  const where = new Map(state.tracks.map((track) => [track, predicted(track, nowMs)]));
  const links: Link[] = [];
  const taken = new Set<number>();
  const parts = new Map<Track, Region[]>();

  boxes.forEach(({ region }, box) => {
    const inside = state.tracks.filter((t) => t.hits >= SURE_HITS && shareIn(where.get(t) ?? t.region, region) > 0.6);
    if (inside.length < 2 || areaOf(region) < 1.3 * Math.max(...inside.map((t) => areaOf(t.region)))) return;
    taken.add(box);
    for (const track of inside) {
      parts.set(track, [intersectionOf(where.get(track) ?? track.region, region)]);
      links.push({ box, track });
    }
  });

  const pairs = state.tracks
    .filter((track) => !parts.has(track))
    .flatMap((track) =>
      boxes.map(({ region }, box) => ({ track, box, score: affinity(where.get(track) ?? track.region, region) })),
    )
    .filter(({ box, score }) => score > 0 && !taken.has(box))
    .sort((a, b) => b.score - a.score || a.track.id - b.track.id || a.box - b.box);
  for (const { track, box } of pairs) {
    if (taken.has(box)) continue;
    const own = parts.get(track);
    // A further part joins only where it lies inside what the track is expected to cover.
    if (own !== undefined && shareIn(boxes[box].region, grown(where.get(track) ?? track.region)) < 0.8) continue;
    taken.add(box);
    parts.set(track, [...(own ?? []), boxes[box].region]);
    links.push({ box, track });
  }

  for (const [track, own] of parts) move(track, unionOf(own), nowMs);
  const seen = [...parts.keys()];
  boxes.forEach(({ region, moving }, box) => {
    if (taken.has(box) || !moving) return;
    const track: Track = {
      id: state.nextId++,
      region,
      sweep: region,
      stir: region,
      vx: 0,
      vy: 0,
      born: now,
      origin: region,
      seenMs: nowMs,
      hits: 1,
    };
    state.tracks.push(track);
    links.push({ box, track });
    seen.push(track);
  });
  state.tracks = state.tracks.filter((track) => nowMs - track.seenMs <= LOST_MS);
  return {
    points: seen
      .map(({ id, region, born, origin, sweep }) => ({ id, region, born, origin, sweep }))
      .sort((a, b) => a.id - b.id),
    links,
  };
}

/** Seen this often a track is a thing of its own, also while it touches another. */
const SURE_HITS = 5;

const grown = (r: Region): Region => ({
  x: r.x - r.width * 0.15,
  y: r.y - r.height * 0.15,
  width: r.width * 1.3,
  height: r.height * 1.3,
});

function move(track: Track, region: Region, nowMs: number): void {
  const dt = Math.max(1, nowMs - track.seenMs);
  const from = centreOf(track.region);
  const to = centreOf(region);
  const blend = 0.3;
  track.vx += blend * ((to.x - from.x) / dt - track.vx);
  track.vy += blend * ((to.y - from.y) / dt - track.vy);
  track.region = region;
  track.sweep = unionOf([track.sweep, region]);
  track.stir = track.stir === undefined ? region : unionOf([track.stir, region]);
  track.seenMs = nowMs;
  track.hits++;
}
