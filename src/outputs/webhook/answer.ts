import { BlinkstreamError, messageOf, type ErrorClass, type ErrorDetails } from '../../records/index.js';
import { AskedToWait } from '../deliver.js';

/** However long a receiver asks to be left alone, it is tried again after this. */
const LONGEST_WAIT_MS = 600_000;

/** What an answer says of an event, and to whom that is to be told. */
export interface Answered {
  /** Scheme and host. */
  readonly display: string;
  readonly eventId: string;
  readonly status: number;
  readonly retryAfter: string | null;
}

/** Undefined where the event was taken. 408, 425, 429 and 5xx may pass (`external`); all else is for somebody to put right. */
export function refusalOf(
  { display, eventId, status, retryAfter }: Answered,
  nowMs: number,
): BlinkstreamError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const told = `${display} answers ${status} to event ${eventId}`;
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    const hint = 'look at its logs; the event is sent again until it is taken';
    const details = { code: 'WEBHOOK_BUSY', class: 'external', stage: 'output', hint } as const;
    return new AskedToWait(told, details, waitOf(retryAfter, nowMs));
  }
  const [code, hint] = lastingOf(status);
  return error(told, { code, class: 'user', hint });
}

function lastingOf(status: number): readonly [code: string, hint: string] {
  if (status < 400) return ['WEBHOOK_REDIRECTS', 'redirects are not followed: give the URL that it leads to'];
  switch (status) {
    case 401:
    case 403:
    case 407:
      return ['WEBHOOK_CREDENTIAL_REFUSED', 'check the headers, and user and password in the URL'];
    case 404:
    case 405:
      return ['WEBHOOK_REFUSED', 'check the URL: events are sent by POST'];
    case 410:
      return ['WEBHOOK_GONE', 'it wants no more events: give another URL, or remove outputs.webhook'];
    case 413:
      return ['WEBHOOK_REFUSED', 'let it take larger bodies'];
    default:
      return ['WEBHOOK_REFUSED', 'its logs say what is wrong with the event; the next start sends it again'];
  }
}

/** Of `Retry-After`: seconds, or a date (RFC 9110, 10.2.3); 0 where it says nothing. */
function waitOf(retryAfter: string | null, nowMs: number): number {
  const text = retryAfter?.trim() ?? '';
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return waitMs > 0 ? Math.min(waitMs, LONGEST_WAIT_MS) : 0;
}

const UNTRUSTED = /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_CERT_ALTNAME_INVALID)/;

export const noAnswerWithin = (display: string, timeoutMs: number): BlinkstreamError =>
  error(`${display} gives no answer within ${timeoutMs} ms`, {
    code: 'WEBHOOK_TIMEOUT',
    class: 'external',
    hint: 'let it answer before it works on the event, or allow it more time by timeoutMs',
  });

/** Why there was no answer; what `fetch` throws hides the reason in its cause. */
export function noAnswer(thrown: unknown, display: string): BlinkstreamError {
  if (thrown instanceof BlinkstreamError) return thrown;
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : undefined;
  if (cause === undefined) {
    return error(`nothing can be sent to ${display}: ${messageOf(thrown)}`, {
      code: 'INTERNAL',
      class: 'internal',
      cause: thrown,
    });
  }
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (UNTRUSTED.test(code)) {
    return error(`the certificate of ${display} is not trusted: ${cause.message}`, {
      code: 'WEBHOOK_UNTRUSTED',
      class: 'user',
      hint: 'renew it, or name its authority in NODE_EXTRA_CA_CERTS',
      cause,
    });
  }
  return error(`${display} cannot be reached: ${cause.message || code}`, {
    code: 'WEBHOOK_UNREACHABLE',
    class: 'external',
    hint: 'check the URL and the network, and that it runs',
    cause,
  });
}

const error = (
  message: string,
  details: Omit<ErrorDetails, 'stage'> & { readonly class: ErrorClass },
): BlinkstreamError => new BlinkstreamError(message, { ...details, stage: 'output' });
