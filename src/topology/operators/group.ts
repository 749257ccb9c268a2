import { concat, defer, EMPTY, ignoreElements, of, tap, type OperatorFunction } from 'rxjs';
import { contradictedEvents } from '../../changes/event.js';
import { groupedEvents, unpaired, type FoundIn } from '../../changes/grouping.js';
import type { Blob, ChangeEvent } from '../../records/index.js';
import type { ScreenshotSource } from '../../sources/screenshots.js';
import { pipelineContext } from '../context.js';
import type { ReasonedSequence } from './reason.js';
import type { Step } from './track.js';

/**
 * Gathers what was found in the screenshots of two releases, and tells at the end each change once. Nothing is written
 * before: a run that was stopped begins anew. Memory: the findings, and the pictures that show them.
 */
export function group(source: ScreenshotSource): OperatorFunction<ReasonedSequence, Step> {
  const context = pipelineContext('group');
  const found: FoundIn[] = [];
  const blobs = new Map<string, Blob>();
  const contradicted: ChangeEvent[] = [];
  const take = ({ reasoned, first, ordinal }: ReasonedSequence): void => {
    const { reasoner } = reasoned;
    const name = source.nameOf(first.frame);
    for (const finding of reasoned.findings) found.push({ source: name, finding, sequenceOrdinal: ordinal, reasoner });
    for (const blob of reasoned.blobs) blobs.set(blob.sha256, blob);
    const origin = { topology: context.topology, source: name, sequenceOrdinal: ordinal, reasoner };
    contradicted.push(...contradictedEvents(reasoned.contradicted, origin));
  };
  const step = (): Step => {
    const { onlyBefore, onlyAfter } = source;
    const events = groupedEvents(context.topology, [
      ...onlyBefore.map((name) => unpaired('before', name)),
      ...onlyAfter.map((name) => unpaired('after', name)),
      ...found,
    ]);
    const shown = new Set(events.flatMap(({ pictures }) => pictures.map(({ sha256 }) => sha256)));
    return {
      events,
      contradicted,
      blobs: [...blobs.values()].filter(({ sha256 }) => shown.has(sha256)),
      openPictures: [],
    };
  };
  return (sequences) =>
    concat(
      sequences.pipe(tap(take), ignoreElements()),
      defer(() => (context.report()?.suspended === true ? EMPTY : of(step()))),
    );
}
