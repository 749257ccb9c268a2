import type { Check, FramePoint, FrameSequence, Verdict } from '../../records/index.js';
import type { Claim } from '../claim.js';

/** A claimed moment may be off by this much, ms. */
const MOMENT_MS = 1_000;

export const check = (name: string, verdict: Verdict, detail: string): Check => ({ name, verdict, detail });

export const held = (name: string, ok: boolean, detail: string): Check =>
  check(name, ok ? 'SUPPORTED' : 'CONTRADICTED', detail);

export const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** Is that when it was measured, by frames as by both clocks? */
export function heldInterval(
  { interval: { first, last } }: Pick<Claim, 'interval'>,
  measured: Claim['interval'],
  { sequence }: { readonly sequence: Pick<FrameSequence, 'first' | 'last'> },
  how: string,
): Check {
  const frames = sequence.last.frame - sequence.first.frame;
  const frameMs = frames > 0 ? (sequence.last.elapsedMs - sequence.first.elapsedMs) / frames : MOMENT_MS + 1;
  const apartMs = (a: FramePoint, b: FramePoint) =>
    Math.max(Math.abs(a.elapsedMs - b.elapsedMs), Math.abs(a.timeMs - b.timeMs), Math.abs(a.frame - b.frame) * frameMs);
  const near = apartMs(first, measured.first) <= MOMENT_MS && apartMs(last, measured.last) <= MOMENT_MS;
  return held(
    'interval',
    near && first.elapsedMs <= last.elapsedMs,
    `${how} from frame ${measured.first.frame} to ${measured.last.frame}`,
  );
}
