import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { z } from 'zod';
import { BlinkstreamError, messageOf, type ErrorClass } from '../records/index.js';

const trailer = 'blinkstream-error-bin';
/** Trailers share one HTTP/2 header block with a limit of its own. */
const longestText = 2_000;

const details = z.object({
  message: z.string(),
  code: z.string(),
  class: z.enum(['user', 'data', 'external', 'resource', 'internal']),
  stage: z.enum([
    'cli',
    'source',
    'gate',
    'window',
    'worker',
    'evidence',
    'reason',
    'verify',
    'track',
    'commit',
    'log',
    'output',
    'topology',
  ]),
  hint: z.string().optional(),
});

const codes: Readonly<Record<ErrorClass, status>> = {
  user: status.FAILED_PRECONDITION,
  data: status.INVALID_ARGUMENT,
  external: status.FAILED_PRECONDITION,
  resource: status.RESOURCE_EXHAUSTED,
  internal: status.INTERNAL,
};

/** An error as JSON can carry it from one process to another. */
export const errorToJson = (error: BlinkstreamError): string =>
  JSON.stringify({
    message: error.message.slice(0, longestText),
    code: error.code,
    class: error.class,
    stage: error.stage,
    hint: error.hint?.slice(0, longestText),
  });

/** The error again; undefined where `json` is none. */
export function errorFromJson(json: string, cause?: unknown): BlinkstreamError | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    return undefined; // The caller tells what it means to get no error where one was announced.
  }
  const parsed = details.safeParse(raw);
  if (!parsed.success) return undefined;
  const { message, hint, ...rest } = parsed.data;
  return new BlinkstreamError(message, { ...rest, ...(hint !== undefined && { hint }), cause });
}

/** Anything thrown in a worker as an error with a class; what is none of ours is a fault in the program. */
export const asError = (thrown: unknown): BlinkstreamError =>
  thrown instanceof BlinkstreamError
    ? thrown
    : new BlinkstreamError(`the worker failed: ${messageOf(thrown).split('\n')[0]}`, {
        code: 'WORKER_INTERNAL',
        class: 'internal',
        stage: 'worker',
        hint: 'Report it with the sequence that caused it; blinkstream inspect shows that one.',
        cause: thrown,
      });

/** An error of the work as the status of a call. */
export function toStatus(thrown: unknown): { code: status; details: string; metadata: Metadata } {
  const error = asError(thrown);
  const metadata = new Metadata();
  metadata.set(trailer, Buffer.from(errorToJson(error)));
  return { code: codes[error.class], details: error.message.slice(0, longestText), metadata };
}

/**
 * No answer came, for a reason that lies in the worker and not in the work. `deadline`: it did not answer in time.
 * `busy`: it works for somebody else. `lost`: it, or the way to it, is gone.
 */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  constructor(
    readonly kind: 'deadline' | 'busy' | 'lost',
    message: string,
    cause?: unknown,
    /** What ended it came from outside, as a kill or a lost way to it: the sequence need not have to do with it. */
    readonly isFromOutside = false,
  ) {
    super(message, { cause });
  }
}

export const busyCode = 'WORKER_BUSY';

/** What a failed call means: the error of the work that the worker told, or that there was no answer. */
export function fromStatus(error: ServiceError): BlinkstreamError | NoAnswer {
  const [told] = error.metadata.get(trailer);
  const inWork = told === undefined ? undefined : errorFromJson(told.toString(), error);
  if (inWork?.code === busyCode) return new NoAnswer('busy', inWork.message, error);
  if (inWork !== undefined) return inWork;
  return error.code === status.DEADLINE_EXCEEDED
    ? new NoAnswer('deadline', 'it did not answer in time', error)
    : new NoAnswer('lost', `the call ended with ${status[error.code]}: ${error.details}`, error);
}
