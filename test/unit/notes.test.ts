import { describe, expect, it } from 'vitest';
import {
  certificateUnusable,
  fatalNote,
  type Note,
  noteJson,
  serviceListener,
  workerDown,
  workerListener,
} from '../../src/operation/notes.js';
import { ServiceTally } from '../../src/operation/tally.js';
import { BlinkstreamError } from '../../src/records/index.js';
import { refOf } from '../../fixtures/stage.js';

const away = new BlinkstreamError('the camera did not answer', {
  code: 'CAMERA_AWAY',
  class: 'external',
  stage: 'source',
  hint: 'look at its power',
});

const status = { topology: 'watch', source: 'yard', frames: 12, events: 3, lateFrames: 0, deadLetters: 0, failures: 1 };

describe('notes', () => {
  it('are one line of JSON each, with time, level, code, topology, source and message', () => {
    const notes: Note[] = [];
    const listener = serviceListener(new ServiceTally(), (note) => notes.push(note));
    const pipeline = listener.pipeline?.(status);
    listener.state?.({ ...status, state: 'running' });
    pipeline?.late?.(refOf(7), 0);
    pipeline?.deadLetter?.(away);
    listener.state?.({ ...status, state: 'waiting', error: away });
    listener.state?.({ ...status, state: 'failed', error: away });
    const key = { topology: 'watch', source: 'yard' };
    const error = { error: 'CAMERA_AWAY', hint: 'look at its power' };
    const expected: Note[] = [
      { level: 'info', code: 'PIPELINE_RUNNING', ...key, message: 'watch/yard running, 12 frames, 3 events' },
      {
        ...{ level: 'warn', code: 'FRAME_LATE', ...key },
        message: 'frame 7 of stage came too late for its window and was left out',
      },
      {
        ...{ level: 'error', code: 'DEAD_LETTER', ...key },
        ...{ message: 'not reasoned over: the camera did not answer', ...error },
      },
      {
        ...{ level: 'warn', code: 'PIPELINE_WAITING', ...key },
        ...{ message: 'watch/yard waiting, 12 frames, 3 events: the camera did not answer', ...error },
      },
      {
        ...{ level: 'error', code: 'PIPELINE_FAILED', ...key },
        ...{ message: 'watch/yard failed, 12 frames, 3 events: the camera did not answer', ...error },
      },
    ];
    expect(notes).toEqual(expected);
    const lines = notes.map((note) => noteJson(note, Date.UTC(2026, 4, 1, 12)));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      expected.map((note) => ({ time: '2026-05-01T12:00:00.000Z', ...note })),
    );
    expect(lines.filter((line) => line.includes('\n'))).toEqual([]);
  });

  it('are counted on the way', () => {
    const tally = new ServiceTally();
    const listener = serviceListener(tally, () => undefined);
    const pipeline = listener.pipeline?.(status);
    pipeline?.frame?.(refOf(7));
    pipeline?.late?.(refOf(7), 0);
    pipeline?.deadLetter?.(away);
    listener.state?.({ ...status, state: 'waiting', error: away });
    expect(tally.pipelines).toMatchObject([
      { state: 'waiting', framesRead: 1, lateFrames: 1, deadLetters: 1, failures: 1 },
    ]);
  });

  it('tell of workers, and of what ends the service', () => {
    const notes: Note[] = [];
    const workers = workerListener((note) => notes.push(note));
    workers.gone?.('worker process 1', 'was ended by SIGSEGV');
    notes.push(workerDown(away), certificateUnusable(away));
    const point = (frame: number) => ({ frame, timeMs: 0, elapsedMs: 0 });
    workers.retry?.({ source: 'yard', first: point(3), last: point(9) }, 'worker process 1 was ended by SIGSEGV');
    expect([...notes, fatalNote(away), fatalNote(new TypeError('x is undefined'))]).toEqual([
      { level: 'warn', code: 'WORKER_GONE', message: 'worker process 1 was ended by SIGSEGV; another takes its place' },
      {
        ...{ level: 'error', code: 'WORKER_UNAVAILABLE', message: 'the camera did not answer' },
        ...{ error: 'CAMERA_AWAY', hint: 'look at its power' },
      },
      {
        ...{ level: 'error', code: 'CERTIFICATE_UNUSABLE', message: 'the camera did not answer' },
        ...{ error: 'CAMERA_AWAY', hint: 'look at its power' },
      },
      {
        ...{ level: 'warn', code: 'SEQUENCE_RETRIED', source: 'yard' },
        message: 'frames 3 to 9 of yard go to a worker once more: worker process 1 was ended by SIGSEGV',
      },
      { level: 'error', code: 'CAMERA_AWAY', message: 'the camera did not answer', hint: 'look at its power' },
      { level: 'error', code: 'INTERNAL', message: 'x is undefined' },
    ]);
  });
});
