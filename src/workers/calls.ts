import { once } from 'node:events';
import type { ServerDuplexStream, ServerReadableStream } from '@grpc/grpc-js';
import { converting, oneOf, present } from '../records/convert/check.js';
import { headerFromProto } from '../records/convert/picture.js';
import { findingToProto, type SequenceOutline, sequenceFromProto } from '../records/convert/worker.js';
import type {
  MeasureRequest,
  MeasureResponse,
  ReasonRequest,
  ReasonResponse,
} from '../records/generated/blinkstream/v1/worker_service.js';
import type { Reasoned } from '../records/index.js';
import { killPoint } from '../records/kill-points.js';
import { type Measurement, measurements, type PictureEvidence, type WorkerEngine } from './index.js';
import { chunkBytes, limits } from './limits.js';
import { PictureIntake, pictureHeaders, refused, sequenceOf } from './transfer.js';

export type MeasureCall = ServerReadableStream<MeasureRequest, MeasureResponse>;
export type ReasonCall = ServerDuplexStream<ReasonRequest, ReasonResponse>;

/** The messages of a call. Reading ends early where one is refused; the call stays open for its status. */
async function* received<T>(call: MeasureCall | ReasonCall): AsyncGenerator<T, void, undefined> {
  for await (const request of call.iterator({ destroyOnReturn: false })) yield request as T;
}

/** Takes in a sequence and reasons over it. @throws BlinkstreamError what `engine.reason` throws, `WORKER_INPUT_REFUSED`, `PROTO_INVALID` */
export async function reason(call: ReasonCall, engine: WorkerEngine, signal: AbortSignal): Promise<Reasoned> {
  let header: { outline: SequenceOutline; question: string; reasoner: string } | undefined;
  let pictures: PictureIntake | undefined;
  for await (const { message } of received<ReasonRequest>(call)) {
    if (message?.$case === 'header' && pictures === undefined) {
      const { sequence, question, reasoner } = message.value;
      if (question.length > limits.questionChars) {
        throw refused(`a question of ${question.length} characters, more than ${limits.questionChars}`);
      }
      const outline = converting('ReasonHeader', 'worker', () => sequenceFromProto(present(sequence, 'sequence')));
      header = { outline, question, reasoner };
      pictures = new PictureIntake(pictureHeaders(outline));
    } else if (message?.$case === 'chunk' && pictures !== undefined) {
      pictures.accept(message.value);
    } else {
      throw refused(`${message?.$case ?? 'an empty message'} out of turn`);
    }
  }
  signal.throwIfAborted();
  if (header === undefined || pictures === undefined) throw refused('no header');
  const { outline, question, reasoner } = header;
  killPoint('worker');
  return engine.reason(sequenceOf(outline, pictures.finish()), { question, reasoner, signal });
}

/** Takes in a picture and measures it. @throws BlinkstreamError what `engine.measure` throws, `WORKER_INPUT_REFUSED`, `PROTO_INVALID` */
export async function measure(call: MeasureCall, engine: WorkerEngine, signal: AbortSignal): Promise<MeasureResponse> {
  let wanted: readonly Measurement[] = [];
  let picture: PictureIntake | undefined;
  for await (const { message } of received<MeasureRequest>(call)) {
    if (message?.$case === 'header' && picture === undefined) {
      const { value } = message;
      const header = converting('MeasureHeader', 'worker', () => {
        wanted = value.measurements.map((name) => oneOf(measurements, name, 'measurements'));
        return headerFromProto(present(value.picture, 'picture'));
      });
      picture = new PictureIntake([header]);
    } else if (message?.$case === 'chunk' && picture !== undefined) {
      picture.accept(message.value);
    } else {
      throw refused(`${message?.$case ?? 'an empty message'} out of turn`);
    }
  }
  signal.throwIfAborted();
  if (picture === undefined) throw refused('no header');
  return evidenceToProto(await engine.measure(picture.finish()[0], { measurements: wanted, signal }));
}

const evidenceToProto = ({ objects, lines, embedding }: PictureEvidence): MeasureResponse => ({
  objects: objects?.map((object) => ({ ...object })) ?? [],
  lines: lines?.map((line) => ({ ...line })) ?? [],
  embedding: embedding ? [...embedding] : [],
});

/** The result, then its blobs in chunks, no faster than the caller takes them. */
export async function answer(call: ReasonCall, reasoned: Reasoned): Promise<void> {
  for (const response of responsesOf(reasoned)) {
    if (call.cancelled) throw new Error('the caller has gone');
    if (!call.write(response)) await Promise.race([once(call, 'drain'), once(call, 'cancelled')]);
  }
  call.end();
}

function* responsesOf({ findings, contradicted, blobs, reasoner, elapsedMs }: Reasoned): Generator<ReasonResponse> {
  const result = {
    findings: findings.map(findingToProto),
    contradicted: contradicted.map(findingToProto),
    reasoner,
    elapsedMs,
  };
  yield { message: { $case: 'result', value: result } };
  for (const { sha256, mediaType, bytes } of blobs) {
    let from = 0;
    do {
      const length = Math.min(chunkBytes, bytes.byteLength - from);
      const data = Buffer.from(bytes.buffer, bytes.byteOffset + from, length);
      const first = from === 0;
      from += length;
      const last = from === bytes.byteLength;
      yield {
        message: {
          $case: 'blob',
          value: { sha256: first ? sha256 : '', mediaType: first ? mediaType : '', data, last },
        },
      };
    } while (from < bytes.byteLength);
  }
}
