import { writeFileSync } from 'node:fs';

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

const wanted = /^([a-z-]+):([1-9]\d*):(.+)$/.exec(process.env.BLINKSTREAM_KILL_AT ?? '');
let countdown = wanted === null ? 0 : Number(wanted[2]);

/**
 * Ends this process by SIGKILL at the n-th passing of a point where `BLINKSTREAM_KILL_AT=point:n:FILE` is set, as a power
 * cut would; does nothing otherwise. It stands where a crash would hurt most, and only the chaos test sets it.
 * FILE is made first, and where it is there already nothing is ended: of all the processes that inherit the variable,
 * workers and those that replace them, one is ended once, and whoever set the variable sees that it was.
 */
export function killPoint(point: KillPoint): void {
  if (countdown === 0 || wanted?.[1] !== point) return;
  countdown -= 1;
  if (countdown === 0 && isFirst(wanted[3])) process.kill(process.pid, 'SIGKILL');
}

function isFirst(file: string): boolean {
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
