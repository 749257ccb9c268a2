import { createHash, timingSafeEqual } from 'node:crypto';
import {
  InterceptingCall,
  type Interceptor,
  type Metadata,
  type ServerInterceptor,
  ServerInterceptingCall,
  status,
} from '@grpc/grpc-js';
import { BlinkstreamError, type Stage } from '../records/index.js';

const key = 'authorization';
const shortestToken = 16;

/** What is wrong with a token, to go on after "the token"; says nothing of what is in it. */
export function tokenProblem(token: string): string | undefined {
  // Those that RFC 6750 allows; a header would not carry all others.
  if (!/^[A-Za-z0-9._~+/=-]*$/.test(token)) return 'holds something else than letters, digits and -._~+/=';
  return token.length < shortestToken ? `has fewer than ${shortestToken} characters` : undefined;
}

/** @throws BlinkstreamError `TOKEN_INVALID` (user) */
export function checkToken(token: string, stage: Stage): string {
  const problem = tokenProblem(token);
  if (problem === undefined) return token;
  throw new BlinkstreamError(`the token ${problem}`, {
    code: 'TOKEN_INVALID',
    class: 'user',
    stage,
    hint: 'Make one with openssl rand -hex 32.',
  });
}

/**
 * Lets through only calls with `authorization: Bearer TOKEN`; others end with UNAUTHENTICATED before a handler sees
 * them. What comes after it never sees the token.
 */
export function bearerOnly(token: string): ServerInterceptor {
  const expected = digest(token);
  const refusal = (metadata: Metadata): string | undefined => {
    const given = metadata.get(key).map(String);
    if (given.length === 0) return 'this server wants a token, as "authorization: Bearer TOKEN"';
    const [, sent] = /^Bearer +(\S+)$/i.exec(given[0]) ?? [];
    if (given.length > 1 || sent === undefined) return 'authorization must be "Bearer TOKEN", once';
    // Digests have one length, whatever was sent; so the time that it takes tells nothing of the token.
    return timingSafeEqual(digest(sent), expected) ? undefined : 'the token is not the one of this server';
  };
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, goOn) => {
            const details = refusal(metadata);
            // Not gone on: no handler begins, and nothing more is read of the call.
            if (details !== undefined) return call.sendStatus({ code: status.UNAUTHENTICATED, details });
            metadata.remove(key);
            goOn(metadata);
          },
        }),
    });
}

/** Sends the token with every call. Only for channels that nobody else can listen to. */
export const withBearer =
  (token: string): Interceptor =>
  (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set(key, `Bearer ${token}`);
        next(metadata, listener);
      },
    });

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
