import { interfaceDifference } from '../../evidence/interface/difference.js';
import type { Models } from '../../evidence/models.js';
import type { Shot } from '../../evidence/scene.js';
import { pictureOf } from '../../pixels/content.js';
import { decodeShown } from '../../pixels/decode.js';
import { toRgb8 } from '../../pixels/rgb8.js';
import {
  pointOf,
  type Finding,
  type FrameSequence,
  type Lease,
  type Reasoned,
  type SequenceFrame,
} from '../../records/index.js';
import type { Claim } from '../claim.js';
import { PictureMaker } from '../pictures.js';
import { verifyInterface } from '../verification/interface.js';
import { interfaceClaims } from './claims.js';

/** What differs between two screenshots of one place, held against their pixels. */
export async function interfaceFindings(
  sequence: FrameSequence,
  models: Models,
  signal: AbortSignal,
): Promise<Pick<Reasoned, 'findings' | 'contradicted' | 'blobs'>> {
  const [before, after] = await Promise.all(sequence.frames.map(shotOf));
  signal.throwIfAborted();
  const difference = interfaceDifference(before.picture, after.picture);
  const claims = await interfaceClaims(models, difference);
  signal.throwIfAborted();
  const pictures = new PictureMaker();
  const findings: Finding[] = [];
  const contradicted: Finding[] = [];
  for (const { label, ...said } of claims) {
    const claim: Claim = {
      ...said,
      subject: { label, description: label, confidence: 1 },
      interval: { first: pointOf(before.ref), last: pointOf(after.ref) },
      ongoing: false,
      identity: {},
    };
    const verification = verifyInterface(claim, difference.before.raster, difference.after.raster);
    if (verification.verdict === 'CONTRADICTED') contradicted.push({ ...claim, verification, pictures: [] });
    else {
      const shown = await pictures.forClaim(claim, { sequence, before, after, tracks: [] });
      findings.push({ ...claim, verification, pictures: shown });
    }
  }
  return { findings, contradicted, blobs: pictures.blobs };
}

async function shotOf({ ref, lease }: SequenceFrame<Lease>): Promise<Shot> {
  const content = lease?.content();
  if (content === undefined) throw new RangeError(`screenshot ${ref.position.offset} has no pixels`);
  const name = ref.position.offset;
  const picture = content.form === 'encoded' ? decodeShown(content.encoded, { name }) : pictureOf(content).then(toRgb8);
  return { ref, picture: await picture };
}
