import { createHash } from 'node:crypto';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { changeEvent_KindFromJSON } from '../records/generated/blinkstream/v1/change.js';
import type { EventFilter } from './index.js';

export const everything: EventFilter = { sources: [], kinds: [], topologies: [] };

/** What a filter looks at. */
export interface Facets {
  readonly topology: string;
  readonly source: string;
  readonly kind: string;
}

export const passes = ({ topology, source, kind }: Facets, { topologies, sources, kinds }: EventFilter): boolean =>
  lets(sources, source) && lets(kinds, kind) && lets(topologies, topology);

const lets = (wanted: readonly string[], value: string): boolean => wanted.length === 0 || wanted.includes(value);

const topologyField = 5;
const sourceField = 6;
const kindField = 7;

/** Of an encoded event, without decoding the rest: a reader with a narrow filter skips most events. */
export function facetsOf(encoded: Uint8Array): Facets {
  const reader = new BinaryReader(encoded);
  let topology = '';
  let source = '';
  let kind = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === topologyField) topology = reader.string();
    else if (field === sourceField) source = reader.string();
    else if (field === kindField) kind = reader.int32();
    else reader.skip(wireType);
  }
  return { topology, source, kind: changeEvent_KindFromJSON(kind) };
}

/** Stands for the filter in its cursors; the order of a list's words, and words said twice, make no difference. */
export function filterTag({ sources, kinds, topologies }: EventFilter, bytes: number): Buffer {
  const sets = [sources, kinds, topologies].map((list) => [...new Set<string>(list)].sort());
  return createHash('sha256').update(JSON.stringify(sets)).digest().subarray(0, bytes);
}
