import { isLoopback } from '../../grpc/address.js';
import { BlinkstreamError } from '../../records/index.js';

/** Where events are posted to, and with what. */
export interface WebhookTarget {
  /** http or https; a user and password in it are sent as basic authentication. */
  readonly url: string;
  /** Sent with each event. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Lets events and credentials go to other machines in plain text: inside a trusted network. */
  readonly allowPlaintext?: boolean;
}

export interface CheckedTarget {
  readonly url: string;
  /** For people. Only scheme and host: in many webhooks the path is the secret. */
  readonly display: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Connects to nothing; nothing that may be secret is in the messages.
 * @throws BlinkstreamError `WEBHOOK_URL`, `WEBHOOK_HEADER`, `WEBHOOK_NOT_SECURE` (user)
 */
export function checkTarget({ url: written, headers = {}, allowPlaintext = false }: WebhookTarget): CheckedTarget {
  const url = urlOf(written);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:' && !isLoopback(host) && !allowPlaintext) {
    throw refused(
      `events would travel to ${url.host} in plain text`,
      'WEBHOOK_NOT_SECURE',
      'give an https URL, or allow plain text where the network in between is trusted',
    );
  }
  for (const [name, value] of Object.entries(headers)) checkHeader(name, value);
  const basic = basicOf(url);
  if (basic !== undefined && Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')) {
    throw refused(
      'user and password are in the URL, and there is a header authorization',
      'WEBHOOK_HEADER',
      'give one',
    );
  }
  // fetch refuses URLs that hold them.
  [url.username, url.password] = ['', ''];
  return {
    url: url.href,
    display: `${url.protocol}//${url.host}`,
    headers: { ...headers, ...(basic !== undefined && { authorization: basic }) },
  };
}

/** Whether a header of this name likely carries a credential. */
export const isSecretHeader = (name: string): boolean => /auth|cookie|key|password|secret|token/i.test(name);

function urlOf(written: string): URL {
  if (/^https?:\/\//i.test(written) && URL.canParse(written)) return new URL(written);
  throw refused(
    'the URL of the webhook is none of http or https',
    'WEBHOOK_URL',
    'give https://HOST/PATH, special characters in a password percent-encoded',
  );
}

function basicOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  } catch {
    throw refused(
      'the user or the password in the URL of the webhook is not percent-encoded',
      'WEBHOOK_URL',
      'write % as %25, or give it as ${env:NAME}, which is encoded',
    );
  }
}

/** What the connection needs for itself, and what tells the event. */
const ours =
  /^(?:ce-.*|webhook-(?:id|timestamp|signature)|content-(?:type|length|encoding)|host|connection|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;

/** @throws BlinkstreamError `WEBHOOK_HEADER` (user), which does not show the value */
export function checkHeader(name: string, value: string): void {
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
    throw refused(
      `${JSON.stringify(name)} is not the name of a header`,
      'WEBHOOK_HEADER',
      'give one such as authorization',
    );
  }
  if (ours.test(name)) {
    throw refused(`the header ${name} is set by the output itself`, 'WEBHOOK_HEADER', 'leave it out');
  }
  if (!/^[\x20-\x7e]*$/.test(value)) {
    throw refused(
      `the value of the header ${name} holds something else than printable ASCII`,
      'WEBHOOK_HEADER',
      'give letters, digits and signs in one line',
    );
  }
}

const refused = (message: string, code: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code, class: 'user', stage: 'output', hint, exitCode: 2 });
