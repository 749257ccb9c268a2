import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRunning, thisProcess, type Owner } from '../../src/log/owner.js';

/** A process of this system whose start is not known. */
function ownerOf(pid: number): Owner {
  const owner: { -readonly [Field in keyof Owner]: Owner[Field] } = { ...thisProcess(''), pid };
  delete owner.startTicks;
  return owner;
}

describe('the owner of a log', () => {
  it('runs while its process does', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const owner = ownerOf(child.pid as number);
    expect(isRunning(thisProcess(''))).toBe(true);
    expect(isRunning(owner)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isRunning(owner)).toBe(false);
  });

  it.runIf(existsSync('/proc/self/stat'))('is another process where the id was used again, or cannot be seen', () => {
    const owner = thisProcess('');
    expect(isRunning({ ...owner, startTicks: '1' })).toBe(false);
    expect(isRunning({ ...owner, bootId: 'of the start before' })).toBe(false);
    expect(isRunning({ ...owner, pidSpace: 'pid:[1]' })).toBe(false);
  });

  it.runIf(existsSync('/proc/self/stat'))('has ended where it only waits for its parent', async () => {
    // The shell's child ends, and the shell, which then sleeps, never asks for it.
    const shell = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [pid] = (await once(shell.stdout, 'data')) as [Buffer];
    const owner = ownerOf(Number(pid.toString()));
    try {
      await expect.poll(() => isRunning(owner)).toBe(false);
    } finally {
      shell.kill('SIGKILL');
    }
  });
});
