import { type FileHandle, open } from 'node:fs/promises';
import type { ChangeLog, Cursor, EventFilter } from '../log/index.js';
import { changeEventToJson } from '../records/convert/change.js';
import { BlinkstreamError, messageOf } from '../records/index.js';
import { killPoint } from '../records/kill-points.js';

export interface JsonLinesOptions {
  /** The file, usually `events.jsonl`; its folder exists. One writer at a time. */
  readonly path: string;
  readonly log: ChangeLog;
  readonly filter?: EventFilter;
  /** Return at the log's end instead of waiting for more. */
  readonly untilEnd?: boolean;
  /** Ends the output after the line that is being written; call again to go on. */
  readonly signal: AbortSignal;
}

/**
 * Writes every event of the log as one line of proto3 JSON, in the log's order, and follows the log.
 *
 * Each line exactly once, whatever moment the process is killed at: the file itself is the record of how far it got. On
 * start a torn last line is cut off, and the log is read on from the event of the last whole line. So nothing needs
 * `fsync` for its correctness; it is called whenever the log's end is reached, so that what a reader was given stays
 * after a power cut too.
 *
 * @returns the lines written by this call
 * @throws BlinkstreamError `OUTPUT_DAMAGED`, `OUTPUT_MISMATCH` (user) where the last line is not an event, or not one of
 *   this log; `OUTPUT_FULL` (resource) on a full disk, with the file cut back to whole lines; `OUTPUT_FAILED` (user)
 */
export async function jsonLinesOutput(options: JsonLinesOptions): Promise<{ readonly lines: number }> {
  const { path, log, filter, untilEnd = false, signal } = options;
  const file = await guarded(path, () => open(path, 'a+'));
  try {
    const tail = await guarded(path, () => cutTornLine(file));
    const { lastLine } = tail;
    const cursor = lastLine === undefined ? undefined : await cursorAfter(options, eventIdOf(path, lastLine));
    if (signal.aborted) return { lines: 0 };
    let sizeBytes = tail.sizeBytes;
    let lines = 0;
    for await (const entry of log.read({
      ...(cursor && { cursor }),
      start: 'earliest',
      ...(filter && { filter }),
      untilEnd,
      signal,
    })) {
      if (entry.type === 'progress') {
        await guarded(path, () => file.datasync());
        continue;
      }
      const line = Buffer.from(`${changeEventToJson(entry.event)}\n`);
      await guarded(path, () => appendWhole(file, line, sizeBytes));
      killPoint('publish');
      sizeBytes += line.length;
      lines += 1;
    }
    return { lines };
  } finally {
    await file.close();
  }
}

const newline = 0x0a;
const stepBytes = 64 * 1024;

/** Cuts what follows the last line's end, which a killed writer left; the last whole line is absent in an empty file. */
async function cutTornLine(file: FileHandle): Promise<{ sizeBytes: number; lastLine?: string }> {
  const { size } = await file.stat();
  const end = (await lastNewline(file, size)) + 1;
  if (end < size) await file.truncate(end);
  if (end === 0) return { sizeBytes: 0 };
  const start = (await lastNewline(file, end - 1)) + 1;
  const line = Buffer.alloc(end - 1 - start);
  await file.read(line, 0, line.length, start);
  return { sizeBytes: end, lastLine: line.toString() };
}

/** Where the last line's end before `before` stands; −1 without one. */
async function lastNewline(file: FileHandle, before: number): Promise<number> {
  const step = Buffer.alloc(stepBytes);
  for (let end = before; end > 0;) {
    const start = Math.max(0, end - stepBytes);
    const { bytesRead } = await file.read(step, 0, end - start, start);
    const at = step.subarray(0, bytesRead).lastIndexOf(newline);
    if (at >= 0) return start + at;
    end = start;
  }
  return -1;
}

/** All of the line, or none of it: a reader of the file never sees a part stay. */
async function appendWhole(file: FileHandle, line: Buffer, sizeBytes: number): Promise<void> {
  try {
    await file.appendFile(line);
  } catch (error) {
    if ((await file.stat()).size > sizeBytes) await file.truncate(sizeBytes);
    throw error;
  }
}

function eventIdOf(path: string, line: string): string {
  try {
    const told: unknown = JSON.parse(line);
    if (typeof told === 'object' && told !== null && 'eventId' in told && typeof told.eventId === 'string') {
      return told.eventId;
    }
  } catch (cause) {
    throw damaged(path, cause);
  }
  throw damaged(path);
}

/** Walks the log to the event of the last line: lines and events correspond one to one, in order. None on abort. */
async function cursorAfter(options: JsonLinesOptions, eventId: string): Promise<Cursor | undefined> {
  const { path, log, filter, signal } = options;
  for await (const entry of log.read({ start: 'earliest', ...(filter && { filter }), untilEnd: true, signal })) {
    if (entry.type === 'event' && entry.event.eventId === eventId) return entry.cursor;
  }
  if (signal.aborted) return undefined;
  throw new BlinkstreamError(`${path} ends with event ${eventId}, which the log does not hold (any more)`, {
    code: 'OUTPUT_MISMATCH',
    class: 'user',
    stage: 'output',
    hint: 'Move the file away to have all that the log still holds written anew; lines between may be gone for good.',
  });
}

const damaged = (path: string, cause?: unknown): BlinkstreamError =>
  new BlinkstreamError(`the last line of ${path} is not a change event`, {
    code: 'OUTPUT_DAMAGED',
    class: 'user',
    stage: 'output',
    hint: 'Move the file away to have it written anew.',
    cause,
  });

/** Runs a step on the file; what the system says against it becomes an error that names the file. */
async function guarded<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const full = cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
    throw new BlinkstreamError(full ? `no space left to write ${path}` : `cannot write ${path}: ${messageOf(cause)}`, {
      code: full ? 'OUTPUT_FULL' : 'OUTPUT_FAILED',
      class: full ? 'resource' : 'user',
      stage: 'output',
      hint: full
        ? 'Free some space and start again; it goes on after the last whole line.'
        : 'Check that the folder exists and may be written to.',
      cause,
    });
  }
}
