import { z } from 'zod';
import { pathField, textField } from './fields.js';

const folder = z
  .strictObject({
    kind: z.literal('folder').describe('a folder on a disk that all who send and read pictures share'),
    folder: pathField('the folder; ab/cd/abcd…, by SHA-256'),
    maxAgeDays: z.number().positive().optional().describe('pictures that were stored longer ago than this go'),
  })
  .describe('Files in a folder.');

const s3 = z
  .strictObject({
    kind: z.literal('s3').describe('a bucket of Amazon S3, or of whatever speaks its protocol'),
    bucket: textField('name of the bucket; what is old is removed by a lifecycle rule of its own'),
    prefix: textField('folder in the bucket').optional(),
    endpoint: textField('https://HOST[:PORT]; without it AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or Amazon').optional(),
    region: textField('without it AWS_REGION, AWS_DEFAULT_REGION, or us-east-1').optional(),
    pathStyle: z
      .boolean()
      .optional()
      .describe('ENDPOINT/BUCKET/… instead of BUCKET.ENDPOINT/…; without it everywhere but at Amazon'),
    allowPlaintext: z
      .boolean()
      .default(false)
      .describe('lets pictures go to other machines unencrypted, inside a trusted network'),
  })
  .describe('Objects in a bucket. Credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.');

/** Where pictures are that are too large for a message: `blobs` in a deployment file. */
export const blobsSchema = z
  .discriminatedUnion('kind', [folder, s3])
  .describe('Where pictures are that messages only name (claim check).');

export type BlobsEntry = z.infer<typeof blobsSchema>;
