import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findFfmpeg } from '../../src/sources/ffmpeg-binary.js';

/** A folder for one test file's clips. */
export function clipFolder(): { readonly at: (name: string) => string; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'blinkstream-test-'));
  return { at: (name) => path.join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs the very ffmpeg that the sources use. */
export async function ffmpeg(...args: string[]): Promise<void> {
  const { path: file } = await findFfmpeg();
  await promisify(execFile)(file, ['-nostdin', '-v', 'error', '-y', ...args]);
}

/** Arguments of a moving test picture: `frames` frames of `size` at 25 fps. */
export const testPicture = (frames: number, size = '160x120'): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25`, '-frames:v', String(frames), '-pix_fmt', 'yuv420p'],
];
