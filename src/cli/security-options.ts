import { type Command, Option } from 'commander';
import { isLocal } from '../grpc/address.js';
import type { ClientSecurity, ServerSecurity } from '../grpc/index.js';
import { BlinkstreamError } from '../records/index.js';
import { readSecret } from '../topology/deployment/secrets.js';
import { usageError } from './failure.js';
import { text } from './option-values.js';

interface CredentialOptions {
  readonly cert?: string;
  readonly key?: string;
  readonly tokenFile?: string;
  readonly tokenEnv?: string;
}

export interface ServerSecurityOptions extends CredentialOptions {
  readonly clientCa?: string;
}

export interface ClientSecurityOptions extends CredentialOptions {
  readonly ca?: string;
}

/** Options of a command that serves gRPC. */
export const withServerSecurity = (command: Command): Command =>
  withToken(
    command
      .option('--cert <file>', 'serve by TLS with this certificate (PEM); needed where other hosts can connect', text)
      .option('--key <file>', 'its key (PEM)', text)
      .option('--client-ca <file>', 'let in only who has a certificate of this CA (PEM)', text),
    'let in only who sends the token',
  );

/** Options of a command that calls a gRPC server. */
export const withClientSecurity = (command: Command): Command =>
  withToken(
    command
      .option(
        '--ca <file>',
        'call by TLS and trust this CA (PEM); other hosts are called by TLS in any case, and the public CAs are trusted ' +
          'without this',
        text,
      )
      .option('--cert <file>', 'our own certificate (PEM), where the server asks for one', text)
      .option('--key <file>', 'its key (PEM)', text),
    'send the token',
  );

/** A token is never an argument: everybody on the machine can read those. */
const withToken = (command: Command, does: string): Command =>
  command
    .option('--token-file <file>', `${does} that this file holds`, text)
    .addOption(
      new Option('--token-env <name>', `${does} that this environment variable holds`)
        .argParser(text)
        .conflicts('tokenFile'),
    );

/** @throws BlinkstreamError `USAGE`, `TOKEN_UNREADABLE` (user) */
export async function serverSecurityOf(
  options: ServerSecurityOptions,
  env: NodeJS.ProcessEnv,
): Promise<ServerSecurity> {
  const { cert, key, clientCa } = options;
  ensurePair(options);
  if (clientCa !== undefined && cert === undefined) throw usageError('--client-ca needs --cert and --key');
  const tls = cert !== undefined && key !== undefined ? { cert, key, clientCa } : undefined;
  return { tls, token: await tokenOf(options, env) };
}

/** @throws BlinkstreamError `USAGE`, `TOKEN_UNREADABLE` (user) */
export async function clientSecurityOf(
  address: string,
  options: ClientSecurityOptions,
  env: NodeJS.ProcessEnv,
): Promise<ClientSecurity> {
  const { ca, cert, key } = options;
  ensurePair(options);
  const tls = ca !== undefined || cert !== undefined || !isLocal(address) ? { ca, cert, key } : undefined;
  return { tls, token: await tokenOf(options, env) };
}

function ensurePair({ cert, key }: CredentialOptions): void {
  if ((cert === undefined) !== (key === undefined)) throw usageError('--cert and --key go together', 'give both');
}

async function tokenOf(options: CredentialOptions, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { tokenFile, tokenEnv } = options;
  if (tokenFile === undefined && tokenEnv === undefined) return undefined;
  const from = { folder: process.cwd(), env };
  const found = await readSecret(
    { kind: tokenFile === undefined ? 'env' : 'file', name: tokenFile ?? tokenEnv ?? '' },
    from,
  );
  if ('value' in found) return found.value;
  throw new BlinkstreamError(`there is no token: ${found.problem}`, {
    code: 'TOKEN_UNREADABLE',
    class: 'user',
    stage: 'cli',
    hint: 'see --token-file and --token-env',
  });
}
