import { resolve } from 'node:path';
import { z } from 'zod';
import type { ClientSecurity, ServerSecurity } from '../../grpc/index.js';
import { pathField, textField } from './fields.js';

const token = textField(
  'what those who are let in send, 16 characters or more: ${file:PATH} or ${env:NAME}, as it must not stand here itself',
).optional();

/** What protects a gRPC server: fields that stand beside its address. */
export const serverSecurity = {
  tls: z
    .strictObject({
      cert: pathField('PEM file with the certificate of the server, and those up to its CA'),
      key: pathField('PEM file with its key, not encrypted'),
      clientCa: pathField('PEM file with the CA of clients: only who has a certificate of it is let in').optional(),
    })
    .optional()
    .describe('Serves by TLS. For other hosts it is needed, and clientCa or a token with it.'),
  token,
};

/** What a gRPC client goes by: fields that stand beside the addresses that it calls. */
export const clientSecurity = {
  tls: z
    .strictObject({
      ca: pathField('PEM file with the CA of the servers; without it, the public ones that Node.js trusts').optional(),
      cert: pathField('PEM file with a certificate of our own, for servers that ask for one').optional(),
      key: pathField('PEM file with its key, not encrypted').optional(),
    })
    .optional()
    .describe('Calls by TLS. For other hosts it is needed, and cert with key or a token with it.'),
  token,
};

/** The same with paths taken from `folder`. */
export function securityIn<S extends ServerSecurity | ClientSecurity>(folder: string, { tls, token }: S): S {
  const paths = tls && Object.entries(tls).map(([name, path]) => [name, path && resolve(folder, path)] as const);
  return { ...(paths && { tls: Object.fromEntries(paths) }), ...(token !== undefined && { token }) } as S;
}
