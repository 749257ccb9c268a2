import { folderStore } from '../blobs/folder.js';
import type { ClaimCheckStore } from '../blobs/index.js';
import { s3Store } from '../blobs/s3.js';
import { sha256Of } from '../blobs/sha256.js';
import { kafkaClient, type KafkaOptions } from '../kafka/client.js';
import { kafkaError } from '../kafka/errors.js';
import { encodeFrameMessage, maxAheadMs, type SentFrame } from '../kafka/frame-message.js';
import { openProducer } from '../kafka/producer.js';
import { pictureOf } from '../pixels/content.js';
import { encodeJpeg } from '../pixels/encode.js';
import { BlinkstreamError, type EncodedPicture, type Frame } from '../records/index.js';
import { openSource } from '../sources/open.js';
import { kafkaOptionsOf } from '../topology/deployment/kafka.js';
import { loadDeployment } from '../topology/deployment/parse.js';
import type { CommandIo } from './command.js';
import { claimCheckStore } from './deployment/blobs.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { usageError } from './failure.js';
import { OrderedSends } from './ordered-sends.js';
import type { PublishOptions } from './publish-options.js';
import { timedFrames, type TimedFrame } from './publish-frames.js';

const defaultMaxInlineBytes = 256 * 1024;
/** Frames that are encoded or stored while one before them is sent. */
const maxUnderWay = 4;

/** Sends each frame of the input, in order, until the input ends or the command is asked to stop. */
export async function runPublish(input: string, options: PublishOptions, io: CommandIo): Promise<ExitCode> {
  const { topic, speed, repeat = false } = options;
  const { kafka, store } = await targetOf(options);
  const source = await openSource(input, {
    ...(options.camera !== undefined && { name: options.camera }),
    ...(options.interval !== undefined && { times: { intervalMs: options.interval } }),
  });
  const camera = source.name;
  const maxInlineBytes = store === undefined ? Infinity : (options.maxInlineBytes ?? defaultMaxInlineBytes);
  const sum = { frames: 0, bytes: 0, claimChecks: 0 };

  const producer = await openProducer(kafkaClient(kafka), topic).catch((error: unknown) => {
    throw kafkaError(error, { topic, operation: 'WRITE' });
  });
  try {
    const beganMs = performance.now();
    const sends = new OrderedSends<Ready>(async ({ sent, bytes, release }) => {
      try {
        await producer.send({ topic, acks: -1, messages: [encodeFrameMessage(sent)] });
      } catch (error) {
        throw sendError(error, { topic, number: sum.frames, bytes, hasStore: store !== undefined });
      } finally {
        release();
      }
      sum.frames += 1;
      sum.bytes += bytes;
      if (sent.bytes === undefined) sum.claimChecks += 1;
      io.progress.update({ frames: sum.frames });
    }, maxUnderWay);

    const frames = timedFrames(source, {
      startMs: options.start ?? Date.now(),
      isPaced: speed === 'real',
      repeat,
      signal: io.signal,
    });
    let next = await frames.next();
    try {
      for (; !next.done; next = await frames.next()) {
        await sends.add(made(next.value, { camera, quality: options.quality, maxInlineBytes, store }));
      }
      await sends.end();
    } finally {
      if (!next.done) await frames.return(undefined);
      io.progress.end();
    }
    const seconds = (performance.now() - beganMs) / 1_000;
    if (io.json) io.out.json(JSON.stringify({ topic, camera, ...sum, seconds: Number(seconds.toFixed(3)) }));
    else io.out.line(summary(topic, camera, sum, seconds));
    const report = next.value;
    if (report === undefined) return repeat ? exitCodes.done : exitCodes.interrupted;
    if (report.complete) return exitCodes.done;
    io.notes.line(report.problem ?? 'the input is incomplete');
    return exitCodes.input;
  } finally {
    await producer.disconnect();
  }
}

/** What is needed to send a frame; `bytes` of its picture, wherever that is. */
interface Ready {
  readonly sent: SentFrame;
  readonly bytes: number;
  readonly release: () => void;
}

interface Making {
  readonly camera: string;
  readonly quality: number;
  readonly maxInlineBytes: number;
  readonly store: ClaimCheckStore | undefined;
}

/** A picture that goes to the blob store is there before its message is sent. */
async function made({ frame, eventTimeMs }: TimedFrame, making: Making): Promise<Ready> {
  const { camera, quality, maxInlineBytes, store } = making;
  const release = (): void => frame.lease.release();
  try {
    if (eventTimeMs - Date.now() > maxAheadMs) throw aheadError(frame);
    const { mediaType, bytes } = await encoded(frame, quality);
    const isInline = store === undefined || bytes.byteLength <= maxInlineBytes;
    const sha256 = isInline ? sha256Of(bytes) : await store.put(bytes, mediaType);
    const sent = { camera, eventTimeMs, mediaType, sha256, ...(isInline && { bytes }) };
    return { sent, bytes: bytes.byteLength, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function encoded({ ref, lease }: Frame, quality: number): Promise<EncodedPicture> {
  const content = lease.content();
  if (content.form !== 'encoded') {
    return { mediaType: 'image/jpeg', bytes: await encodeJpeg(await pictureOf(content), quality) };
  }
  const { mediaType } = content.encoded;
  if (mediaType === 'image/jpeg' || mediaType === 'image/png') return content.encoded;
  throw new BlinkstreamError(
    `image ${ref.index} of ${ref.source} is ${mediaType}, and a topic takes JPEG and PNG alone`,
    {
      code: 'PUBLISH_FORMAT',
      class: 'user',
      stage: 'cli',
      hint: 'convert the images to PNG, which keeps every sample',
    },
  );
}

async function targetOf(options: PublishOptions): Promise<{ kafka: KafkaOptions; store: ClaimCheckStore | undefined }> {
  const { brokers, deployment: file, blobs, maxInlineBytes } = options;
  const loaded = file === undefined ? undefined : await loadDeployment(file);
  const entry = loaded?.deployment.kafka;
  if (loaded !== undefined && entry === undefined) {
    throw usageError(`${file} says nothing about Kafka`, 'add kafka: { brokers: [HOST:PORT] } to it');
  }
  if (brokers === undefined && entry === undefined) {
    throw usageError('it is not said where Kafka is', 'give --brokers HOST:PORT, or --deployment FILE');
  }
  const kafka = loaded && entry ? await kafkaOptionsOf(entry, loaded.folder) : { brokers: brokers ?? [] };
  const store = storeAt(blobs) ?? (loaded?.deployment.blobs && claimCheckStore(loaded.deployment.blobs, loaded.folder));
  if (maxInlineBytes !== undefined && store === undefined) {
    throw usageError('--max-inline-bytes needs a blob store for what is larger', 'give --blobs FOLDER or s3://BUCKET');
  }
  return { kafka, store };
}

function storeAt(place: string | undefined): ClaimCheckStore | undefined {
  if (place === undefined) return undefined;
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]*)\/?(.*)$/.exec(place) ?? [];
  if (bucket !== undefined) return s3Store({ bucket, prefix });
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(place)) {
    throw usageError(
      '--blobs is neither a folder nor s3://BUCKET/PREFIX',
      'S3 elsewhere is told by AWS_ENDPOINT_URL_S3',
    );
  }
  return folderStore({ folder: place });
}

function sendError(
  thrown: unknown,
  { topic, number, bytes, hasStore }: { topic: string; number: number; bytes: number; hasStore: boolean },
): BlinkstreamError {
  const error = kafkaError(thrown, { topic, operation: 'WRITE' });
  if (error.code !== 'KAFKA_MESSAGE_TOO_LARGE') return error;
  return new BlinkstreamError(`frame ${number} has ${bytes} bytes, more than a message of topic ${topic} may have`, {
    code: error.code,
    class: error.class,
    stage: 'cli',
    hint: hasStore
      ? 'lower --max-inline-bytes below the max.message.bytes of the topic'
      : 'send large pictures by claim check (--blobs), lower --quality, or raise max.message.bytes of the topic',
    cause: thrown,
  });
}

const aheadError = ({ ref }: Frame): BlinkstreamError =>
  new BlinkstreamError(`frame ${ref.index} would be dated more than an hour ahead of now, which no reader believes`, {
    code: 'PUBLISH_AHEAD',
    class: 'user',
    stage: 'cli',
    hint: 'give --start a time as long ago as the input is long, or --speed real',
  });

function summary(
  topic: string,
  camera: string,
  { frames, bytes, claimChecks }: { frames: number; bytes: number; claimChecks: number },
  seconds: number,
): string {
  const count = `${frames.toLocaleString('en')} ${frames === 1 ? 'frame' : 'frames'}`;
  const rate = `${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`;
  const claims = claimChecks === 0 ? '' : `, ${claimChecks.toLocaleString('en')} of them by claim check`;
  return `${count} of ${camera} to topic ${topic}, ${rate}${claims}`;
}
