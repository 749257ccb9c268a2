import { createHash } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import { isCutOff } from '../../pixels/cut-off.js';
import { readHeader } from '../../pixels/decode.js';
import { BlinkstreamError, type EncodedPicture } from '../../records/index.js';
import { Borrowed } from './borrowed.js';

/** A message on its way to where it is used. */
export interface RawMessage {
  readonly offset: bigint;
  readonly key: Uint8Array | undefined;
  /** As text; of one that is given several times the last. */
  readonly headers: Readonly<Record<string, string>>;
  /** When it was produced or appended, whichever the topic says; NaN where there is none. */
  readonly timestampMs: number;
  /** To be asked for each time: see `Borrowed`. */
  readonly value: Uint8Array;
  /** Nobody needs the value any more. May be called again. */
  release(): void;
}

/** What a frame message holds once it was checked. */
export interface FrameMessage {
  readonly type: 'frame';
  readonly message: RawMessage;
  readonly camera: string;
  readonly eventTimeMs: number;
  readonly picture: EncodedPicture;
  readonly width: number;
  readonly height: number;
}

/** A message that is no frame, and why. */
export interface PoisonMessage {
  readonly type: 'poison';
  readonly message: RawMessage;
  /** Where the key names one. */
  readonly camera: string | undefined;
  readonly error: BlinkstreamError;
}

export interface MessageLimits {
  /** Bytes of one encoded picture; default 64 MiB. */
  readonly maxFrameBytes?: number;
  /** Pixels of one picture; default 100,000,000. */
  readonly maxPixels?: number;
}

/** Where pictures are that were too large for a message. Structural: any blob store is one. */
export interface ClaimStore {
  get(sha256: string): Promise<{ readonly bytes: Uint8Array } | undefined>;
}

/** Event time may be ahead of the message's own time by this much; a clock further off would make later frames late. */
const MAX_AHEAD_MS = 3_600_000;
const MAX_KEY_CHARS = 200;
const EMPTY = new Uint8Array(0);

/** What kafkajs gives: a value that is a slice of its fetch stays one for as long as `Borrowed` allows. */
export function takeMessage({ offset, key, value, timestamp, headers }: KafkaMessage): RawMessage {
  const text: Record<string, string> = {};
  for (const [name, given] of Object.entries(headers ?? {})) {
    const last = Array.isArray(given) ? given.at(-1) : given;
    if (last !== undefined) text[name] = last.toString();
  }
  const timestampMs = Number(timestamp);
  const body = Borrowed.of(value ?? EMPTY);
  return {
    offset: BigInt(offset),
    key: key === null ? undefined : Buffer.from(key),
    headers: text,
    timestampMs: timestampMs >= 0 ? timestampMs : Number.NaN,
    get value() {
      return body.bytes;
    },
    release: () => body.release(),
  };
}

/**
 * The frame that a message holds: camera by its key, event time, and the picture, inline or fetched by its claim check,
 * held against its SHA-256 where that is given (kafkajs checks no CRC). Only the picture's header is read.
 * @throws what the claim store throws
 */
export async function readMessage(
  message: RawMessage,
  { limits, claims }: { readonly limits: MessageLimits; readonly claims: ClaimStore | undefined },
): Promise<FrameMessage | PoisonMessage> {
  let camera: string | undefined;
  try {
    camera = cameraOf(message.key);
    const eventTimeMs = eventTimeOf(message);
    const bytes = await pictureBytes(message, limits, claims);
    const { mediaType, width, height } = await readHeader(bytes, {
      name: 'the picture',
      ...(limits.maxPixels !== undefined && { maxPixels: limits.maxPixels }),
    });
    checkType(mediaType, message.headers['content-type'], bytes);
    return {
      type: 'frame',
      message,
      camera,
      eventTimeMs,
      picture: message.value.byteLength > 0 ? inlinePicture(mediaType, message) : { mediaType, bytes },
      width,
      height,
    };
  } catch (error) {
    if (error instanceof BlinkstreamError && error.class === 'data') return { type: 'poison', message, camera, error };
    throw error;
  }
}

const inlinePicture = (mediaType: EncodedPicture['mediaType'], message: RawMessage): EncodedPicture => ({
  mediaType,
  get bytes() {
    return message.value;
  },
});

/** Of whom a message is and when its frame was taken; undefined where that makes it poison, as `readMessage` tells. */
export function originOf(message: RawMessage): { readonly camera: string; readonly eventTimeMs: number } | undefined {
  try {
    return { camera: cameraOf(message.key), eventTimeMs: eventTimeOf(message) };
  } catch (error) {
    if (error instanceof BlinkstreamError && error.class === 'data') return undefined;
    throw error;
  }
}

/** What can be printed, and nothing that looks like something else. */
const CAMERA = new RegExp(`^[^\\p{C}\\p{Zl}\\p{Zp}]{1,${MAX_KEY_CHARS}}$`, 'u');

function cameraOf(key: Uint8Array | undefined): string {
  if (key === undefined || key.byteLength === 0) throw poison('FRAME_KEY', 'the message has no key', KEY_HINT);
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(key);
  } catch (error) {
    throw poison('FRAME_KEY', 'the key is not UTF-8', KEY_HINT, error);
  }
  if (CAMERA.test(name) && name.trim() === name) return name;
  throw poison('FRAME_KEY', `the key is no name: it is too long, or holds what cannot be printed`, KEY_HINT);
}

const KEY_HINT = `give each message the name of its camera as key: printable, at most ${MAX_KEY_CHARS} characters`;
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

function eventTimeOf({ headers, timestampMs }: RawMessage): number {
  const given = headers.ce_time;
  if (given === undefined) {
    if (Number.isNaN(timestampMs)) throw poison('FRAME_TIME', 'the message has neither ce_time nor a timestamp');
    return timestampMs;
  }
  const timeMs = RFC_3339.test(given) ? Date.parse(given.toUpperCase()) : Number.NaN;
  if (Number.isNaN(timeMs)) {
    throw poison('FRAME_TIME', `ce_time ${JSON.stringify(given.slice(0, 60))} is not a time`, TIME_HINT);
  }
  if (timeMs - timestampMs > MAX_AHEAD_MS) {
    const hours = ((timeMs - timestampMs) / 3_600_000).toPrecision(2);
    throw poison('FRAME_TIME', `ce_time ${given} is ${hours} h ahead of the message itself`, "set the camera's clock");
  }
  return timeMs;
}

const TIME_HINT = 'write it as RFC 3339 says: 2026-01-31T08:30:00.250Z';

async function pictureBytes(
  { headers, value }: RawMessage,
  { maxFrameBytes = 64 * 2 ** 20 }: MessageLimits,
  claims: ClaimStore | undefined,
): Promise<Uint8Array> {
  const sha256 = headers.ce_sha256?.toLowerCase();
  if (value.byteLength > 0) return checked(value, sha256, maxFrameBytes);
  if (headers.ce_dataref === undefined) {
    throw poison(
      'FRAME_EMPTY',
      'the message has no picture',
      'put the picture into the value, or name it in ce_dataref',
    );
  }
  const claimed = /^sha256:([0-9a-f]{64})$/i.exec(headers.ce_dataref)?.[1]?.toLowerCase();
  if (claimed === undefined || (sha256 !== undefined && sha256 !== claimed)) {
    throw poison('CLAIM_INVALID', 'ce_dataref names no picture', 'write it as sha256: and 64 hexadecimal digits');
  }
  if (claims === undefined) {
    throw poison('CLAIM_MISSING', `picture ${claimed} is in a blob store, and none is configured`);
  }
  const stored = await claims.get(claimed);
  if (stored === undefined) {
    throw poison('CLAIM_MISSING', `picture ${claimed} is not in the blob store`, 'store a picture before its message');
  }
  return checked(stored.bytes, claimed, maxFrameBytes);
}

function checked(bytes: Uint8Array, sha256: string | undefined, maxBytes: number): Uint8Array {
  if (bytes.byteLength > maxBytes) {
    throw poison('FRAME_TOO_LARGE', `the picture has ${bytes.byteLength} bytes, more than ${maxBytes}`);
  }
  if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw poison(
      'FRAME_HASH',
      'the bytes are not those that ce_sha256 names',
      'they were damaged on their way: send again',
    );
  }
  return bytes;
}

function checkType(mediaType: EncodedPicture['mediaType'], declared: string | undefined, bytes: Uint8Array): void {
  const said = declared?.split(';')[0].trim().toLowerCase();
  if (mediaType !== 'image/jpeg' && mediaType !== 'image/png') {
    throw poison('FRAME_TYPE', `the picture is ${mediaType}`, TYPE_HINT);
  }
  if (said !== undefined && said !== mediaType) {
    throw poison(
      'FRAME_TYPE',
      `content-type says ${JSON.stringify(said.slice(0, 60))}, the bytes are ${mediaType}`,
      TYPE_HINT,
    );
  }
  if (isCutOff(bytes, mediaType)) {
    throw poison('PICTURE_DAMAGED', 'the picture has no end', 'it was not sent or stored whole: send it again');
  }
}

const TYPE_HINT = 'send image/jpeg or image/png, and say which in content-type or leave it out';

const poison = (code: string, message: string, hint?: string, cause?: unknown): BlinkstreamError =>
  new BlinkstreamError(message, { code, class: 'data', stage: 'source', ...(hint && { hint }), cause });
