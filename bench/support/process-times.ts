import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of a second in /proc, on every Linux that Node.js runs on. */
const TICKS = 100;

/** Processor time that a process has taken, s; 0 where it is gone. */
export function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return fields === undefined ? 0 : (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory of a process, MB; 0 where it is gone. */
export function residentMb(pid: number): number {
  const fields = statOf(pid);
  return fields === undefined ? 0 : (Number(fields[21]) * 4_096) / 2 ** 20;
}

/** Processes that a process has started, by the name of their command. */
export function childrenOf(pid: number): { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => Number(statOf(child)?.[1]) === pid)
    .map((child) => ({ pid: child, command: commandOf(child) }));
}

/** What follows the command's name, which may hold anything: state, parent and so on. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
