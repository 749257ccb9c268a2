import { resolve } from 'node:path';
import { folderStore, sweepFolder } from '../../blobs/folder.js';
import type { ClaimCheckStore } from '../../blobs/index.js';
import { s3Store } from '../../blobs/s3.js';
import { sweepFailed, type TellNote } from '../../operation/notes.js';
import { BlinkstreamError } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import type { BlobsEntry } from '../../topology/deployment/blobs.js';

const sweepEveryMs = 3_600_000;
const dayMs = 86_400_000;

/** The blob store that a deployment names. @throws BlinkstreamError `BLOBS_REFUSED` (user) */
export function claimCheckStore(entry: BlobsEntry, folder: string): ClaimCheckStore {
  if (entry.kind === 'folder') return folderStore({ folder: resolve(folder, entry.folder) });
  const { bucket, prefix, endpoint, region, pathStyle, allowPlaintext } = entry;
  return s3Store({
    bucket,
    allowPlaintext,
    ...(prefix !== undefined && { prefix }),
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(pathStyle !== undefined && { pathStyle }),
  });
}

/** Removes old blobs of a folder, at once and then every hour, until the signal aborts; what refuses it is noted. */
export async function keepSwept(entry: BlobsEntry, folder: string, tell: TellNote, signal: AbortSignal): Promise<void> {
  if (entry.kind !== 'folder' || entry.maxAgeDays === undefined) return;
  const maxAgeMs = entry.maxAgeDays * dayMs;
  while (!signal.aborted) {
    try {
      await sweepFolder(resolve(folder, entry.folder), { maxAgeMs, nowMs: Date.now() });
    } catch (error) {
      if (!(error instanceof BlinkstreamError)) throw error;
      tell(sweepFailed(error));
    }
    await pauseFor(sweepEveryMs, signal);
  }
}
