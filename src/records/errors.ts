/**
 * What an error means for the run:
 * `user` refuse to start · `data` divert the item to the dead-letter output · `external` back off and stay up ·
 * `resource` retry, then divert · `internal` stop and keep the checkpoint.
 */
export type ErrorClass = 'user' | 'data' | 'external' | 'resource' | 'internal';

/** The stage of the way of a frame in which it happened. */
export type Stage =
  | 'cli'
  | 'source'
  | 'gate'
  | 'window'
  | 'worker'
  | 'evidence'
  | 'reason'
  | 'verify'
  | 'track'
  | 'commit'
  | 'log'
  | 'output'
  | 'topology';

export interface ErrorDetails {
  /** Stable, upper case: `SOURCE_NOT_FOUND`. Scripts read it; people read the message. */
  readonly code: string;
  readonly class: ErrorClass;
  readonly stage: Stage;
  /** What to do about it, one sentence in the imperative. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Exit code of the command line where the class alone does not say it. */
  readonly exitCode?: 2 | 3 | 4;
}

/** The one error that Blinkstream throws. The message says what happened and where, the hint what to do. */
export class BlinkstreamError extends Error {
  readonly code: string;
  readonly class: ErrorClass;
  readonly stage: Stage;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'BlinkstreamError';
    this.code = details.code;
    this.class = details.class;
    this.stage = details.stage;
    this.hint = details.hint;
    this.exitCode = details.exitCode ?? exitCodes[details.class];
  }
}

const exitCodes: Readonly<Record<ErrorClass, number>> = { user: 3, data: 3, external: 4, resource: 4, internal: 70 };

/** The message of anything thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** Whether another attempt may succeed. */
export const mayPass = (error: unknown): error is BlinkstreamError & { readonly class: 'external' | 'resource' } =>
  error instanceof BlinkstreamError && (error.class === 'external' || error.class === 'resource');
