import { createHmac } from 'node:crypto';
import { BlinkstreamError } from '../../records/index.js';

const PREFIX = 'whsec_';
/** What Standard Webhooks allows. */
const [SHORTEST_BYTES, LONGEST_BYTES] = [24, 64] as const;

/** The headers by which a receiver knows who sent a message and that nobody changed it. */
export type Signed = Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>>;

/**
 * Signs messages as Standard Webhooks says: HMAC-SHA256 over `ID.TIMESTAMP.BODY`,
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
 * @param secret base64 of 24 to 64 bytes, with or without `whsec_` before it
 * @throws BlinkstreamError `WEBHOOK_SECRET` (user), which shows nothing of the secret
 */
export function webhookSigner(secret: string): (id: string, body: Uint8Array, nowMs: number) => Signed {
  const key = keyOf(secret);
  return (id, body, nowMs) => {
    // A dot would let another message have the same signature.
    const safeId = id.replaceAll('.', '%2E');
    const timestamp = String(Math.floor(nowMs / 1_000));
    const signature = createHmac('sha256', key).update(`${safeId}.${timestamp}.`).update(body).digest('base64');
    return { 'webhook-id': safeId, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
  };
}

function keyOf(secret: string): Buffer {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  const key = Buffer.from(encoded, 'base64');
  const isBase64 = key.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '');
  if (isBase64 && key.length >= SHORTEST_BYTES && key.length <= LONGEST_BYTES) return key;
  throw new BlinkstreamError(`the secret of the webhook is not base64 of ${SHORTEST_BYTES} to ${LONGEST_BYTES} bytes`, {
    code: 'WEBHOOK_SECRET',
    class: 'user',
    stage: 'output',
    hint: 'make one with openssl rand -base64 32',
    exitCode: 2,
  });
}
