/** Stages at which the chaos test ends the process, as `npm run chaos` names them. */
export const killPoints = [
  'decode',
  'gate',
  'worker',
  'before-commit',
  'in-commit',
  'after-commit',
  'publish',
] as const;
export type KillPoint = (typeof killPoints)[number];

const wanted = /^([a-z-]+):(\d+)$/.exec(process.env.BLINKSTREAM_KILL_AT ?? '');
let countdown = wanted === null ? 0 : Number(wanted[2]);

/**
 * Ends this process by SIGKILL at the n-th passing of a point where `BLINKSTREAM_KILL_AT=point:n` is set, as a power cut
 * would; does nothing otherwise. It stands where a crash would hurt most, and only the chaos test sets it.
 */
export function killPoint(point: KillPoint): void {
  if (countdown === 0 || wanted?.[1] !== point) return;
  countdown -= 1;
  if (countdown === 0) process.kill(process.pid, 'SIGKILL');
}
