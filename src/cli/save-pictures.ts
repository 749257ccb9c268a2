import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BlobStore } from '../log/index.js';
import { makeFolder } from '../records/files.js';
import { BlinkstreamError, type ChangeEvent, type EvidencePicture, messageOf } from '../records/index.js';

/**
 * Writes each evidence picture of `revisions` into `dir`, once, as `CHANGE-REVISION-ROLE-FRAME.EXTENSION`.
 * Gives the files, and the pictures that the log does not hold any more.
 * @throws BlinkstreamError `PICTURE_UNSAVED` (user)
 */
export async function savePictures(
  revisions: readonly ChangeEvent[],
  blobs: BlobStore,
  dir: string,
): Promise<{ readonly files: readonly string[]; readonly gone: readonly EvidencePicture[] }> {
  const files: string[] = [];
  const gone: EvidencePicture[] = [];
  const seen = new Set<string>();
  for (const { changeId, revision, pictures } of revisions) {
    for (const picture of pictures) {
      if (seen.has(picture.sha256)) continue;
      seen.add(picture.sha256);
      const blob = await blobs.get(picture.sha256);
      if (blob === undefined) {
        gone.push(picture);
        continue;
      }
      const name = [changeId, revision, picture.role, ...(picture.frame ? [picture.frame.frame] : [])].join('-');
      const file = path.join(dir, `${safeName(name)}.${extensionOf(picture.mediaType)}`);
      await save(file, blob.bytes);
      files.push(file);
    }
  }
  return { files, gone };
}

async function save(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await makeFolder(path.dirname(file));
    await writeFile(file, bytes);
  } catch (error) {
    throw new BlinkstreamError(`picture ${file} cannot be written: ${messageOf(error)}`, {
      code: 'PICTURE_UNSAVED',
      class: 'user',
      stage: 'cli',
      hint: 'Give another folder with --save.',
      cause: error,
    });
  }
}

/** Ids and roles may hold anything: what could lead out of the folder, or into a shell, does not stay. */
const safeName = (name: string): string => name.replace(/[^\w.-]+/g, '_').replace(/^\.+/, '_');

const extensionOf = (mediaType: string): string => {
  const subtype = /^image\/([a-z0-9]+)$/.exec(mediaType)?.[1] ?? 'bin';
  return subtype === 'jpeg' ? 'jpg' : subtype;
};
