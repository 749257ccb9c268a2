import { z } from 'zod';
import { nameField, pathField, textField, wholeNumber } from './fields.js';
import { zonesSchema } from './zones.js';

const name = nameField('name of the source in events; with another name it is another source');

const video = z
  .strictObject({
    kind: z.literal('video').describe('a video file, or an http(s) resource that is one'),
    name,
    input: pathField('a file, or an http(s) URL'),
    timeoutMs: wholeNumber('longest wait for data', { min: 1 }).default(15_000),
    zones: zonesSchema.optional(),
  })
  .describe('Frames of a video, read once from its beginning to its end.');

/** Of each source that knows the time of day. */
const scheduleFields = {
  schedule: textField('only what changes in these hours is told, such as Mo-Fr 18:00-07:00, Sa-Su').optional(),
  timeZone: textField('time zone of the schedule, such as Europe/Berlin; default: that of this machine').optional(),
};

const images = z
  .strictObject({
    kind: z.literal('images').describe('a folder of pictures, a glob, or a single picture'),
    name,
    input: pathField('a folder, a glob or a picture'),
    intervalMs: wholeNumber('time from picture to picture, for pictures that do not tell their own', {
      min: 1,
    }).optional(),
    timePattern: textField('how file names tell the time, such as cam-{YYYY}{MM}{DD}-{hh}{mm}{ss}').optional(),
    zones: zonesSchema.optional(),
    ...scheduleFields,
  })
  .describe('Pictures in the natural order of their names, with EXIF times where nothing else is said.');

const camera = z
  .strictObject({
    kind: z
      .literal('camera')
      .describe('a camera or another stream without end: rtsp, or http(s) that never stops sending'),
    name,
    url: textField('rtsp://…, rtsps://…, http://… or https://…; its user, password and query are shown nowhere'),
    transport: z.enum(['tcp', 'udp']).default('tcp').describe('how RTSP brings pictures; over udp some are lost'),
    videoStream: wholeNumber(
      'which of its video streams, from 0; smaller pictures usually have a URL of their own',
    ).default(0),
    stallMs: wholeNumber('without a picture for so long another connection is tried', { min: 1 }).default(10_000),
    freezeMs: wholeNumber('pictures may be the same, bit for bit, for so long; 0: for ever').default(30_000),
    maxFps: z
      .number()
      .positive()
      .optional()
      .describe('pictures a second that are looked at, at most; 5 are enough for most cameras; default: all'),
    zones: zonesSchema.optional(),
    ...scheduleFields,
  })
  .describe('A live stream. What was missed while nobody read it is gone, and told as SIGNAL_GAP.');

const kafka = z
  .strictObject({
    kind: z.literal('kafka').describe('a topic of frames, shared among the instances of the service: see kafka'),
    name,
    topic: textField('the topic; a message is a frame, its key the camera, which becomes a source of that name'),
    group: textField(
      'consumer group; each topology that reads the topic has one of its own, with its name behind a dot',
    ).default('blinkstream'),
    expired: z
      .enum(['gap', 'refuse'])
      .default('gap')
      .describe('what becomes of frames that expired before they were read: told as a gap, or the service ends'),
    idleMs: wholeNumber('a camera of which nothing comes for so long is told that time passes', { min: 1 }).default(
      5_000,
    ),
    sessionTimeoutMs: wholeNumber('an instance that was not heard of for so long has lost its partitions', {
      min: 500,
    }).default(10_000),
    handOverMs: wholeNumber('time for what is under way when a partition is handed over').default(10_000),
    maxFrameBytes: wholeNumber('bytes of one encoded picture', { min: 1 }).default(64 * 2 ** 20),
    partitionMiB: wholeNumber('memory for frames of one partition that wait', { min: 1 }).default(32),
    maxCameras: wholeNumber('cameras in one partition', { min: 1 }).default(1_000),
    cameras: z
      .array(z.strictObject({ camera: textField('key of its messages'), zones: zonesSchema }))
      .optional()
      .describe('What is known of single cameras.'),
    ...scheduleFields,
  })
  .describe('Cameras out of Kafka. Partitions are shared; each camera is read in the order of its partition.');

const push = z
  .strictObject({
    kind: z.literal('push').describe('a camera whose frames a client pushes over gRPC (blinkstream.v1.FrameService)'),
    name,
    stallMs: wholeNumber(
      'without a frame for so long SIGNAL_GAP is told; 0: never, for cameras that send only when something moves',
    ).default(10_000),
    zones: zonesSchema.optional(),
    ...scheduleFields,
  })
  .describe('Frames that clients push, JPEG or PNG, with the event times and sequence numbers of the client.');

/** Where frames come from, one entry a source; `kind` says which fields there are. */
export const sourceSchema = z.discriminatedUnion('kind', [video, images, camera, push, kafka]);

export type SourceEntry = z.infer<typeof sourceSchema>;
export type KafkaSourceEntry = z.infer<typeof kafka>;
/** A source of its own, not one that brings many. */
export type SingleSourceEntry = Exclude<SourceEntry, KafkaSourceEntry>;
