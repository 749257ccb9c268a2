import type { BlobStore } from '../../log/index.js';
import type { EvidencePicture } from '../../records/index.js';
import type { Story } from './story.js';

/** Picture types that every browser shows. */
const shownTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/webp']);

/** Which pictures the page holds, each once, and which it does not and why. */
export interface PictureBook {
  /** Fragment id of the data block by SHA-256. */
  readonly ids: ReadonlyMap<string, string>;
  readonly bytes: number;
  /** Left out because the page would have become larger than asked; and how many of them are clips. */
  readonly overLimit: number;
  readonly clipsOverLimit: number;
  /** Named by an event, but not kept any more. */
  readonly missing: number;
  /** Of a type that browsers do not show. */
  readonly notShowable: number;
}

/** What is embedded first when not everything fits. */
const roleRank: Readonly<Record<string, number>> = {
  before: 0,
  after: 0,
  during: 1,
  'before-crop': 2,
  'after-crop': 2,
  clip: 3,
};
const OTHER_RANK = 4;
const EARLIER_RANK = 10;

/**
 * Chooses the pictures to embed within `maxBytes` of undecoded bytes: those of every change's last revision before
 * those of earlier ones, pairs before single pictures before crops before clips, and in each rank by time.
 */
export async function choosePictures(
  stories: readonly Story[],
  blobs: Pick<BlobStore, 'get'>,
  maxBytes: number,
): Promise<PictureBook> {
  const ids = new Map<string, string>();
  let bytes = 0;
  const left = { overLimit: 0, clipsOverLimit: 0, missing: 0, notShowable: 0 };
  for (const { role, sha256, mediaType } of wanted(stories)) {
    const blob = await blobs.get(sha256);
    if (blob === undefined) left.missing += 1;
    else if (!shownTypes.has(mediaType) || blob.mediaType !== mediaType) left.notShowable += 1;
    else if (bytes + blob.bytes.byteLength > maxBytes) {
      left.overLimit += 1;
      if (role === 'clip') left.clipsOverLimit += 1;
    } else {
      bytes += blob.bytes.byteLength;
      ids.set(sha256, `picture-${ids.size + 1}`);
    }
  }
  return { ids, bytes, ...left };
}

/** Every picture once, the most wanted first. */
function wanted(stories: readonly Story[]): EvidencePicture[] {
  const ranked = stories.flatMap(({ steps, last }) =>
    steps.flatMap((step) =>
      step.pictures.map((picture) => ({
        picture,
        rank: (roleRank[picture.role] ?? OTHER_RANK) + (step === last ? 0 : EARLIER_RANK),
      })),
    ),
  );
  const seen = new Map<string, EvidencePicture>();
  for (const { picture } of ranked.sort((a, b) => a.rank - b.rank)) {
    if (!seen.has(picture.sha256)) seen.set(picture.sha256, picture);
  }
  return [...seen.values()];
}
