import { deliver, type Connection, type DeliveryOptions, type Outgoing } from '../deliver.js';
import type { OutputFilter } from '../output-filter.js';
import { noAnswer, noAnswerWithin, refusalOf } from './answer.js';
import { webhookSigner } from './signature.js';
import { checkTarget, type CheckedTarget, type WebhookTarget } from './target.js';

export interface WebhookOutputOptions extends DeliveryOptions, WebhookTarget {
  /** Signs each event by Standard Webhooks: base64 of 24 to 64 bytes, with or without `whsec_` before it. */
  readonly secret?: string;
  /** Longest wait for an answer, ms; default 15,000. */
  readonly timeoutMs?: number;
  /** Default: every event. */
  readonly filter?: OutputFilter;
}

/**
 * Posts every event of the log to a URL, one after the other, and follows the log; see `deliver`. The body is the event's
 * line of `events.jsonl`, the request a CloudEvent 1.0 in binary mode,
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md. Any 2xx acknowledges;
 * 408, 425, 429, 5xx and what fails in the network is tried again, not before `Retry-After`. Redirects are not followed.
 *
 * @returns the events sent by this call
 * @throws BlinkstreamError of class `user` where somebody has to put it right: `WEBHOOK_URL`, `WEBHOOK_HEADER`,
 *   `WEBHOOK_SECRET`, `WEBHOOK_NOT_SECURE`, `WEBHOOK_UNTRUSTED`, `WEBHOOK_CREDENTIAL_REFUSED`, `WEBHOOK_REDIRECTS`,
 *   `WEBHOOK_GONE`, `WEBHOOK_REFUSED`; and those of `deliver`
 */
export async function webhookOutput(options: WebhookOutputOptions): Promise<{ readonly events: number }> {
  const { secret, timeoutMs = 15_000, filter } = options;
  const target = checkTarget(options);
  const { display } = target;
  const sign = secret === undefined ? undefined : webhookSigner(secret);
  return deliver(
    {
      name: display,
      format: 'json',
      maxBatchEvents: 1,
      ...(filter && { filter }),
      connect: () => Promise.resolve(poster(target, timeoutMs, sign)),
      errorOf: (thrown) => noAnswer(thrown, display),
    },
    options,
  );
}

function poster(target: CheckedTarget, timeoutMs: number, sign?: ReturnType<typeof webhookSigner>): Connection {
  // One a request: what AbortSignal.any makes of a signal that lives long is held for as long as that does.
  let underWay = new AbortController();
  const post = async ({ event, message }: Outgoing): Promise<void> => {
    const attributes = httpAttributes(message.headers);
    const giveUp = (underWay = new AbortController());
    const timer = setTimeout(() => giveUp.abort(noAnswerWithin(target.display, timeoutMs)), timeoutMs);
    const answer = await fetch(target.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'user-agent': 'blinkstream',
        ...target.headers,
        ...attributes,
        ...sign?.(attributes['ce-id'], message.value, Date.now()),
      },
      body: message.value,
      signal: giveUp.signal,
    }).finally(() => clearTimeout(timer));
    // What it says beside its status is of no use, and might never end.
    await answer.body?.cancel().catch(() => undefined);
    const { status, headers } = answer;
    const retryAfter = headers.get('retry-after');
    const refusal = refusalOf({ display: target.display, eventId: event.eventId, status, retryAfter }, Date.now());
    if (refusal !== undefined) throw refusal;
  };
  return {
    send: async (batch) => {
      for (const outgoing of batch) await post(outgoing);
    },
    close: () => Promise.resolve(underWay.abort()),
  };
}

/** Attributes of a CloudEvent as headers of HTTP: `ce-…`, and percent-encoded what a header may not hold (3.1.3.2). */
const httpAttributes = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) =>
      name.startsWith('ce_')
        ? [name.replace('_', '-'), value.replace(/[^!#$&-~]+/g, encodeURIComponent)]
        : [name, value],
    ),
  );
