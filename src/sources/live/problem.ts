import { BlinkstreamError } from '../../records/index.js';
import type { FfmpegLog } from '../ffmpeg-log.js';
import { unreadable } from '../video-input.js';
import type { LiveInput } from './live-input.js';

/** Why a connection gave no more pictures. */
export interface Problem {
  /** A clause for people. */
  readonly reason: string;
  /** Will be the same another time: set where it makes no sense to begin. */
  readonly lasting?: BlinkstreamError;
}

/** What ffmpeg says, and what it means. Numbers alone mean nothing: decoders complain of block 401 too. */
const REFUSED = /401 unauthori[sz]ed|403 forbidden|authori[sz]ation failed/i;
const ABSENT = /404 not found|404 stream not found/i;
const LASTING = /whitelist|picture size|matches no streams/i;
const meanings: readonly (readonly [said: RegExp, reason: string])[] = [
  [/connection refused/i, 'the connection was refused'],
  [/timed out/i, 'it did not answer'],
  [/failed to resolve|name or service|name resolution/i, 'its name could not be resolved'],
  [/unreachable|no route to host/i, 'there is no way to it in the network'],
  [/(?:server returned|http error|failed:) 5/i, 'its server has trouble'],
  [/\b(?:tls|ssl)\b|certificate/i, 'no secure connection came about'],
  [/connection reset|broken pipe|input\/output error|ends prematurely/i, 'the connection broke'],
];

/** What became of a connection by what ffmpeg logged; `gavePictures` until then. */
export function problemOf(input: LiveInput, log: FfmpegLog, gavePictures: boolean): Problem {
  if (log.find(REFUSED)) return { reason: 'it refused the user name or password', lasting: unauthorized(input) };
  const absent = log.find(ABSENT);
  if (absent !== undefined) return { reason: 'it has no such stream', lasting: unreadable(input, absent) };
  const lasting = lastingProblem(input, log);
  if (lasting !== undefined) return lasting;
  const reason = meanings.find(([pattern]) => log.find(pattern) !== undefined)?.[1];
  if (reason !== undefined) return { reason };
  if (gavePictures) return { reason: 'the stream ended' };
  // Of RTSP ffmpeg says so too where a camera that starts ends what it has just begun.
  const invalid = input.kind === 'http' ? log.find(/invalid data/i) : undefined;
  if (invalid !== undefined) return { reason: 'it gave no video', lasting: unreadable(input, log.reason) };
  return { reason: 'it ended the connection' };
}

/** What ffmpeg has said that will not change, although it may go on trying. */
export function lastingProblem(input: LiveInput, log: FfmpegLog): Problem | undefined {
  const said = log.find(LASTING);
  return said === undefined
    ? undefined
    : { reason: 'its pictures cannot be decoded', lasting: unreadable(input, said) };
}

const unauthorized = ({ display }: LiveInput): BlinkstreamError =>
  new BlinkstreamError(`${display} refuses the user name or password`, {
    code: 'SOURCE_UNAUTHORIZED',
    class: 'user',
    stage: 'source',
    hint: 'check both; special characters in a URL are percent-encoded',
  });
