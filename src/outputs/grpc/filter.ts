import { createHash } from 'node:crypto';
import { status as Status } from '@grpc/grpc-js';
import type { EventFilter } from '../../log/index.js';
import { ChangeEvent_Kind } from '../../records/generated/blinkstream/v1/change.js';
import type { EventFilter as ProtoFilter } from '../../records/generated/blinkstream/v1/events_service.js';
import { changeKinds } from '../../records/index.js';
import { asBuffer } from './wire.js';
import { StatusError } from './status.js';

/** @throws StatusError `INVALID_ARGUMENT` for an unspecified kind */
export function filterFromProto(filter: ProtoFilter | undefined): EventFilter {
  const { sources = [], kinds = [], topologies = [] } = filter ?? {};
  return {
    sources,
    topologies,
    kinds: kinds.map((kind: string) => {
      const known = changeKinds.find((candidate) => candidate === kind);
      if (known !== undefined) return known;
      throw new StatusError(Status.INVALID_ARGUMENT, `filter.kinds has ${kind} — name the kinds you want, or none`);
    }),
  };
}

export const filterToProto = ({ sources, kinds, topologies }: EventFilter): ProtoFilter => ({
  sources: [...sources],
  kinds: kinds.map((kind) => ChangeEvent_Kind[kind]),
  topologies: [...topologies],
});

/** Where a listing goes on: after a change, of the same filter. */
export function pageTokenOf(filter: EventFilter, afterChangeId: string): Buffer {
  return Buffer.concat([filterDigest(filter), Buffer.from(afterChangeId)]);
}

/** @throws StatusError `INVALID_ARGUMENT` for a token that is damaged or of another filter */
export function afterPageToken(filter: EventFilter, token: Buffer): string | undefined {
  if (token.length === 0) return undefined;
  const digest = filterDigest(filter);
  if (token.length > digest.length && digest.equals(token.subarray(0, digest.length))) {
    return token.subarray(digest.length).toString();
  }
  throw new StatusError(
    Status.INVALID_ARGUMENT,
    'page_token is damaged or of another filter — send the token of the page before with the same filter',
  );
}

/** The order of a list's words does not matter. */
const filterDigest = ({ sources, kinds, topologies }: EventFilter): Buffer =>
  asBuffer(
    createHash('sha256')
      .update(JSON.stringify([sources, kinds, topologies].map((list) => [...list].sort())))
      .digest()
      .subarray(0, 8),
  );
