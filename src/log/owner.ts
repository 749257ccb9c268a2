import { readFileSync, readlinkSync } from 'node:fs';

/** The process that writes a log, told from all others: process ids alone are used again. */
export interface Owner {
  /** Random, one for each opening. */
  readonly token: string;
  readonly pid: number;
  /** Where /proc tells: since the start of the system, in clock ticks, and which start and process id space. */
  readonly startTicks?: string;
  readonly bootId?: string;
  readonly pidSpace?: string;
}

export const thisProcess = (token: string): Owner => {
  const startTicks = processOf(process.pid)?.startTicks;
  const bootId = unlessMissing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const pidSpace = unlessMissing(() => readlinkSync('/proc/self/ns/pid'));
  return {
    token,
    pid: process.pid,
    ...(startTicks !== undefined && { startTicks }),
    ...(bootId !== undefined && { bootId }),
    ...(pidSpace !== undefined && { pidSpace }),
  };
};

/**
 * Whether the owner's process still runs, as far as can be seen from here. One in another container cannot be seen and
 * counts as gone: it is the check of the token at each commit that keeps two writers apart, this only says it early.
 */
export function isRunning(owner: Owner): boolean {
  const here = thisProcess('');
  if (owner.bootId !== here.bootId || owner.pidSpace !== here.pidSpace) return false;
  if (here.startTicks === undefined) return answersSignals(owner.pid);
  const found = processOf(owner.pid);
  return found !== undefined && !found.isDead && (owner.startTicks ?? found.startTicks) === found.startTicks;
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it is there, and another user's.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** From /proc/PID/stat; a zombie has ended and waits for its parent only. */
function processOf(pid: number): { startTicks: string; isDead: boolean } | undefined {
  const stat = unlessMissing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets, which may hold blanks and brackets: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { startTicks: fields[19], isDead: fields[0] === 'Z' || fields[0] === 'X' };
}

/** @throws whatever is not the absence of /proc or of the process */
function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined;
    throw thrown;
  }
}
