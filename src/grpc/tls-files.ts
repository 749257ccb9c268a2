import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { readAtMost } from '../records/files.js';
import { BlinkstreamError, messageOf, type Stage } from '../records/index.js';

/** Paths of PEM files. */
export interface TlsPaths {
  /** Authorities that are trusted; without it, those of Node.js. */
  readonly ca?: string | undefined;
  /** Our own certificate and its key, both or none. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Told of TLS files that were renewed and cannot be used, as yet: it may be that only half of them are written. */
export type OnCertificateUnusable = (problem: BlinkstreamError) => void;

type Contents = Partial<Record<keyof TlsPaths, Buffer>>;

/** Far more than a bundle of all public authorities has. */
const maxBytes = 1024 * 1024;

/** Certificates and key as they were last found whole: what renews them may have written one of the files and not the other. */
export class TlsFiles {
  private constructor(
    private readonly paths: TlsPaths,
    private readonly stage: Stage,
    private contents: Contents,
  ) {}

  /**
   * @throws BlinkstreamError `TLS_FILE_UNREADABLE`, `TLS_FILE_INVALID`, `TLS_CERTIFICATE_DATE`, `TLS_INCOMPLETE` (all
   *   user); their messages show nothing of a key
   */
  static async read(paths: TlsPaths, stage: Stage): Promise<TlsFiles> {
    if ((paths.cert === undefined) !== (paths.key === undefined)) {
      throw problem('TLS_INCOMPLETE', 'of certificate and key only one is given', 'Give both.', stage);
    }
    return new TlsFiles(paths, stage, await readAll(paths, stage));
  }

  /** TLS 1.2 or newer, whatever Node.js was told. */
  get context(): SecureContextOptions {
    return { ...this.contents, minVersion: 'TLSv1.2' };
  }

  /**
   * Reads the files again. What was there before stays where they are not whole.
   * @returns whether something is new
   * @throws BlinkstreamError as `read`
   */
  async renew(): Promise<boolean> {
    const now = await readAll(this.paths, this.stage);
    const { contents: before } = this;
    if (names.every((name) => before[name]?.equals(now[name] ?? Buffer.alloc(0)) ?? true)) return false;
    this.contents = now;
    return true;
  }

  /** As `renew`; where the files cannot be used, `onUnusable` is told, and those of before stay in use. */
  async renewIfUsable(onUnusable?: OnCertificateUnusable): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      if (!(error instanceof BlinkstreamError)) throw error;
      onUnusable?.(error);
    }
  }
}

const names = ['ca', 'cert', 'key'] as const;

async function readAll(paths: TlsPaths, stage: Stage): Promise<Contents> {
  const contents: Contents = {};
  for (const name of names) {
    const path = paths[name];
    if (path !== undefined) contents[name] = await read(path, stage);
  }
  const { ca, cert } = contents;
  // An authority that is none would silently trust nobody.
  if (ca) certificateIn(ca, paths.ca, stage);
  if (cert) ensureDate(certificateIn(cert, paths.cert, stage), paths.cert, stage);
  try {
    createSecureContext(contents);
  } catch (error) {
    const files = names.flatMap((name) => paths[name] ?? []).join(', ');
    throw problem(
      'TLS_FILE_INVALID',
      `${files} cannot be used for TLS: ${reasonOf(error)}`,
      'Give PEM files, the key not encrypted and that of the certificate.',
      stage,
      error,
    );
  }
  return contents;
}

async function read(path: string, stage: Stage): Promise<Buffer> {
  const hint = 'Give a readable PEM file.';
  let content: Buffer | undefined;
  try {
    content = await readAtMost(path, maxBytes);
  } catch (error) {
    throw problem('TLS_FILE_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, hint, stage, error);
  }
  if (content !== undefined) return content;
  throw problem('TLS_FILE_UNREADABLE', `${path} has more than ${maxBytes} bytes`, hint, stage);
}

function certificateIn(pem: Buffer, path: string | undefined, stage: Stage): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw problem('TLS_FILE_INVALID', `${path} holds no certificate`, 'Give a PEM file.', stage, error);
  }
}

function ensureDate({ validFrom, validTo }: X509Certificate, path: string | undefined, stage: Stage): void {
  const nowMs = Date.now();
  if (Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo)) return;
  throw problem(
    'TLS_CERTIFICATE_DATE',
    `the certificate in ${path} is good from ${validFrom} to ${validTo}, and not now`,
    'Renew it, or set the clock right.',
    stage,
  );
}

/** OpenSSL says `error:05800074:x509 certificate routines::key values mismatch`. */
const reasonOf = (error: unknown): string => messageOf(error).split(':').at(-1) ?? 'no reason given';

const problem = (code: string, message: string, hint: string, stage: Stage, cause?: unknown): BlinkstreamError =>
  new BlinkstreamError(message, { code, class: 'user', stage, hint, ...(cause !== undefined && { cause }) });
