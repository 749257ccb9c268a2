import { isIPv4 } from 'node:net';
import type { BlinkstreamError } from '../records/index.js';
import { blobError } from './errors.js';

/** Which bucket of which store; what is not said is taken from the environment that Amazon's own tools read. */
export interface S3Location {
  readonly bucket: string;
  /** Before each name, as a folder; default none. */
  readonly prefix?: string;
  /** Without path; default `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else Amazon's in the region. */
  readonly endpoint?: string;
  /** Default `AWS_REGION`, `AWS_DEFAULT_REGION`, else us-east-1. */
  readonly region?: string;
  /** `ENDPOINT/BUCKET/…` instead of `BUCKET.ENDPOINT/…`; default: everywhere but at Amazon. */
  readonly pathStyle?: boolean;
  /** Default `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. */
  readonly credentials?: S3Credentials;
  /** Lets pictures go to other machines in plain text: for stores inside a trusted network. */
  readonly allowPlaintext?: boolean;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Access {
  /** Where a blob is. */
  readonly keyUrl: (sha256: string) => string;
  /** For people. */
  readonly name: string;
  readonly region: string;
  readonly credentials: S3Credentials;
}

/** Connects to nothing. @throws BlinkstreamError `BLOBS_REFUSED` (user) */
export function s3Access(location: S3Location, env: NodeJS.ProcessEnv = process.env): S3Access {
  const { bucket, prefix = '' } = location;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw refused(`${JSON.stringify(bucket.slice(0, 80))} is not the name of a bucket`, 'give one such as frames');
  }
  const region = location.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1');
  const told = location.endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL);
  const endpoint = endpointOf(told ?? `https://s3.${region}.amazonaws.com`);
  if (endpoint.protocol === 'http:' && !isLoopback(endpoint.hostname) && location.allowPlaintext !== true) {
    throw refused(
      `pictures would travel to ${endpoint.host} in plain text`,
      'give an https endpoint, or allow plain text where the network in between is trusted',
    );
  }
  const isPathStyle = location.pathStyle ?? told !== undefined;
  const root = isPathStyle
    ? `${endpoint.protocol}//${endpoint.host}/${bucket}`
    : `${endpoint.protocol}//${bucket}.${endpoint.host}`;
  const folders = prefix.split('/').filter((folder) => folder !== '');
  if (folders.some((folder) => folder === '.' || folder === '..')) {
    throw refused('a prefix in the bucket holds . or ..', 'name the folder itself');
  }
  const path = folders.map((folder) => `${encoded(folder)}/`).join('');
  return {
    keyUrl: (sha256) => `${root}/${path}${sha256}`,
    name: ['s3:/', bucket, ...folders].join('/'),
    region,
    credentials: location.credentials ?? credentialsIn(env),
  };
}

function endpointOf(text: string): URL {
  const hint = 'give an https URL without user, path or query';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // Not repeated: a password may stand in it.
    throw refused('the endpoint is no URL', hint);
  }
  const isBare = url.username === '' && url.password === '' && url.pathname === '/' && url.search === '';
  if (isBare && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw refused(`the endpoint on ${url.host || 'no host'} is no https URL alone`, hint);
}

function credentialsIn(env: NodeJS.ProcessEnv): S3Credentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) };
  }
  throw refused('there are no credentials for the blob store', 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
}

/** Every reserved character, as signatures have it: some stores hold them against the path just as it was sent. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));

const refused = (message: string, hint: string): BlinkstreamError =>
  blobError(message, 'BLOBS_REFUSED', 'user', { hint });
