import { BlinkstreamError } from '../../records/index.js';
import type { VideoInput } from '../video-input.js';

export const isRtspUrl = (input: string): boolean => /^rtsps?:\/\//i.test(input);

/** A live stream as it was asked for; `url` holds its secrets, nothing else does. */
export interface LiveInput extends VideoInput {
  readonly kind: 'rtsp' | 'http';
  /** Something in the URL is not for everybody's eyes. */
  readonly isSecret: boolean;
}

/**
 * An RTSP or HTTP(S) URL, checked as far as that goes without connecting.
 * @throws BlinkstreamError `SOURCE_URL` (user); its message shows no user, password or query
 */
export function liveInput(input: string): LiveInput {
  const kind = isRtspUrl(input) ? 'rtsp' : /^https?:\/\//i.test(input) ? 'http' : undefined;
  if (kind === undefined || !URL.canParse(input) || new URL(input).hostname === '') {
    throw new BlinkstreamError(`${shownOf(input)} is not the URL of a live stream`, {
      code: 'SOURCE_URL',
      class: 'user',
      stage: 'source',
      hint: 'give it as rtsp://host/path or http://host/path, special characters in a password percent-encoded',
    });
  }
  const url = new URL(input);
  const display = `${url.protocol}//${url.host}${url.pathname.replace(PATH_SECRET, '$1…')}`;
  return {
    kind,
    remote: true,
    // A quote would end the name of the file in the script that ffmpeg is given.
    url: url.href.replaceAll("'", '%27'),
    display,
    name: display
      .replace(/^[a-z]+:/, '')
      .replace(/[^A-Za-z0-9.]+/g, '-')
      .replace(/^-|-$/g, ''),
    isSecret: secretsOf(url).length > 0,
    scrub: scrubberOf(url, display),
  };
}

/** Some cameras want `/user=admin&password=…` in the path; and a password with a slash in it looks like one. */
const PATH_SECRET = /(=)[^&/]*|[^/]+(?=@)/g;

/** An input that cannot be taken apart, without what may be secret in it. */
const shownOf = (input: string): string =>
  input
    .replace(/:\/\/.*@/s, '://')
    .replace(/\?.*/s, '')
    .replace(PATH_SECRET, '$1…');

/** What follows `?`, and what stands before `@`, wherever something looks like a URL. */
const withoutSecrets = (text: string): string =>
  text.replace(/(:\/\/)[^\s'"]*@/g, '$1').replace(/(:\/\/[^\s'"?]*)\?[^\s'"]*/g, '$1');

/** Characters below which a secret is only replaced where it stands alone. */
const SHORT = 6;

/** What stands before `@`, behind `?`, or behind `=` in the path, as it is written there. */
function secretsOf(url: URL): string[] {
  const inPath = url.pathname.match(PATH_SECRET)?.map((found) => found.replace(/^=/, '')) ?? [];
  const all = [url.username, url.password, url.search.slice(1), ...url.searchParams.values(), ...inPath];
  return all.filter((secret) => secret !== '');
}

/** Replaces the URL by what may be shown, and every part of it that is a secret, in any spelling, by dots. */
function scrubberOf(url: URL, display: string): (line: string) => string {
  const parts = secretsOf(url);
  const secrets = [
    ...parts,
    ...parts.map(decoded),
    ...(url.username === '' ? [] : [btoa(latin1(`${decoded(url.username)}:${decoded(url.password)}`))]),
  ];
  // Longer ones first: one may be a part of another.
  const hidden = [...new Set(secrets)].sort((a, b) => b.length - a.length);
  const patterns = hidden.map((secret) => {
    const literal = secret.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    // A short one is a part of many an innocent word.
    return new RegExp(secret.length < SHORT ? `(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])` : literal, 'g');
  });
  return (line) =>
    patterns.reduce((text, pattern) => text.replace(pattern, '…'), withoutSecrets(line.replaceAll(url.href, display)));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** As bytes of UTF-8, one character each. */
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
