import { createHash } from 'node:crypto';
import type { SceneEvidence, Shot } from '../evidence/scene.js';
import { crop, wholePixels } from '../pixels/crop.js';
import { encodeJpeg } from '../pixels/encode.js';
import { sharedArea } from '../pixels/geometry.js';
import { resize } from '../pixels/resize.js';
import { pointOf, type Blob, type EvidencePicture, type PictureU8, type Region } from '../records/index.js';
import type { Claim } from './claim.js';
import { clipFrames, encodeClip } from './clip.js';

/** Whole pictures are kept no wider than this, px: enough for a report, and bounded for any camera. */
const WIDEST_PX = 1_280;
const QUALITY = 85;

/** What pictures are cut from. */
export type Shown = Pick<SceneEvidence, 'sequence' | 'before' | 'after' | 'tracks'>;

/** Cuts and encodes the pictures that support claims; each picture is made once, however many claims show it. */
export class PictureMaker {
  readonly #blobs = new Map<string, Blob>();
  readonly #whole = new Map<number, Promise<EvidencePicture>>();
  /** By the numbers of their frames. */
  readonly #clips = new Map<string, Promise<EvidencePicture>>();

  get blobs(): Blob[] {
    return [...this.#blobs.values()];
  }

  /**
   * Before and after as wholes and around the claimed box; of an activity the frame that shows it best; and of both a moving
   * picture, where the sequence has the frames for one.
   */
  async forClaim(claim: Claim, evidence: Shown): Promise<EvidencePicture[]> {
    const stills = await this.#stillsOf(claim, evidence);
    return stills.length === 0 ? [] : [...stills, ...(await this.#clipOf(claim, evidence))];
  }

  async #stillsOf(claim: Claim, evidence: Shown): Promise<EvidencePicture[]> {
    if (claim.kind === 'ACTIVITY') {
      const track = evidence.tracks.find((t) => t.id === claim.identity.trackId);
      return track?.shot ? [await this.#wholeOf(track.shot, 'during')] : [];
    }
    const { before, after } = evidence;
    if (before === undefined || after === undefined) return [];
    const pictures = [await this.#wholeOf(before, 'before'), await this.#wholeOf(after, 'after')];
    const box = claim.after?.region ?? claim.before?.region;
    if (claim.kind === 'CONDITION' || box === undefined) return pictures;
    return [
      ...pictures,
      ...(await this.#cropOf(before, claim.before?.region ?? box, 'before-crop')),
      ...(await this.#cropOf(after, claim.after?.region ?? box, 'after-crop')),
    ];
  }

  async #wholeOf(shot: Shot, role: string): Promise<EvidencePicture> {
    const { index } = shot.ref;
    const made = this.#whole.get(index) ?? this.#store(fit(shot.picture), { role, frame: pointOf(shot.ref) });
    this.#whole.set(index, made);
    return { ...(await made), role };
  }

  async #clipOf(claim: Claim, { sequence }: Shown): Promise<EvidencePicture[]> {
    const frames = clipFrames(claim, sequence);
    if (frames.length === 0) return [];
    const key = frames.map(({ ref }) => ref.index).join();
    const made =
      this.#clips.get(key) ??
      encodeClip(frames).then(({ bytes, ...size }) =>
        this.#keep(bytes, 'image/webp', { role: 'clip', frame: pointOf(frames[0].ref), ...size }),
      );
    this.#clips.set(key, made);
    return [await made];
  }

  /** None where the other picture is smaller and does not reach that far. */
  async #cropOf(shot: Shot, region: Region, role: string): Promise<EvidencePicture[]> {
    if (sharedArea(region, { x: 0, y: 0, width: shot.picture.width, height: shot.picture.height }) === 0) return [];
    const around = wholePixels(region, shot.picture, Math.round(8 + 0.15 * Math.max(region.width, region.height)));
    return [await this.#store(fit(crop(shot.picture, around)), { role, frame: pointOf(shot.ref), region: around })];
  }

  async #store(
    picture: PictureU8,
    about: Pick<EvidencePicture, 'role' | 'frame' | 'region'>,
  ): Promise<EvidencePicture> {
    const { width, height } = picture;
    return this.#keep(await encodeJpeg(picture, QUALITY), 'image/jpeg', { ...about, width, height });
  }

  #keep(bytes: Uint8Array, mediaType: string, about: Omit<EvidencePicture, 'sha256' | 'mediaType'>): EvidencePicture {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#blobs.set(sha256, { sha256, mediaType, bytes });
    return { ...about, sha256, mediaType };
  }
}

const fit = (picture: PictureU8): PictureU8 =>
  picture.width <= WIDEST_PX
    ? picture
    : resize(picture, WIDEST_PX, Math.max(1, Math.round((picture.height * WIDEST_PX) / picture.width)));
