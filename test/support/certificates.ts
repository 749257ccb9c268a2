import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateAuthority {
  /** Its own certificate, in PEM. */
  readonly ca: string;
  /** A certificate for this name; servers are reached as `localhost` and `127.0.0.1`. Default: good from yesterday on. */
  issue(name: string, valid?: { readonly fromMs: number; readonly untilMs: number }): Promise<Certificate>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;
let serials = 0;

/** A certificate authority that lives as long as the test. */
export async function certificateAuthority(name = 'tests'): Promise<CertificateAuthority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ours = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(Date.now() - dayMs, Date.now() + 30 * dayMs),
    name: `CN=${name}`,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    ca: ours.toString('pem'),
    issue: async (subject, { fromMs, untilMs } = { fromMs: Date.now() - dayMs, untilMs: Date.now() + 30 * dayMs }) => {
      const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const cert = await x509.X509CertificateGenerator.create({
        ...common(fromMs, untilMs),
        subject: `CN=${subject}`,
        issuer: ours.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      });
      const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
      return { cert: cert.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
    },
  };
}

const common = (fromMs: number, untilMs: number) => {
  serials += 1;
  return {
    // Not begun by a zero byte, which OpenSSL would refuse as padding.
    serialNumber: `01${serials.toString(16).padStart(4, '0')}`,
    notBefore: new Date(fromMs),
    notAfter: new Date(untilMs),
    signingAlgorithm: algorithm,
  };
};
