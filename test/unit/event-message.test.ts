import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { decodeEventMessage, encodeEventMessage, eventFormats } from '../../src/kafka/event-message.js';
import { encodeFrameMessage } from '../../src/kafka/frame-message.js';
import { changeEventToJson, encodeChangeEvent } from '../../src/records/convert/change.js';
import { changeEvent } from '../support/arbitraries.js';
import { textOf } from '../support/documents.js';
import { withTimesOf } from '../support/precision.js';

describe.each(eventFormats)('an event as a message in %s', (format) => {
  it('is read as it was written, and written the same every time', () => {
    fc.assert(
      fc.property(changeEvent(), (event) => {
        const message = encodeEventMessage(event, format);
        expect(encodeEventMessage(event, format)).toEqual(message);
        expect(withTimesOf(decodeEventMessage(message), event)).toEqual(event);
        // As a consumer gets it: all bytes, and slices of a larger buffer.
        const fetched = Buffer.concat([Buffer.of(0), message.value, Buffer.of(0)]).subarray(1, -1);
        const headers = { 'content-type': Buffer.from(message.headers['content-type']) };
        expect(withTimesOf(decodeEventMessage({ value: fetched, headers }), event)).toEqual(event);
      }),
    );
  });

  it('has the attributes of a CloudEvent, none of them empty, whatever the event', () => {
    fc.assert(
      fc.property(changeEvent(), (event) => {
        const { key, headers } = encodeEventMessage(event, format);
        expect(key).toBe(event.source);
        expect(headers).toMatchObject({ ce_specversion: '1.0', ce_id: event.eventId, ce_subject: event.changeId });
        expect(() => new URL(headers.ce_source, 'https://example.org')).not.toThrow();
        expect(headers.ce_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6}|\.\d{9})?Z$/);
        expect(Object.values(headers)).not.toContain('');
      }),
    );
  });
});

describe('an event as a message', () => {
  it('says in its headers what it is', () => {
    const event = eventOf(3, { source: 'yard/north', phase: 'ENDED', revision: 2 });
    expect(encodeEventMessage(event, 'json').headers).toEqual({
      ce_specversion: '1.0',
      ce_id: 'change-3.1',
      ce_source: '/watch/yard%2Fnorth',
      ce_type: 'dev.blinkstream.change.ended',
      ce_subject: 'change-3',
      ce_time: '1970-01-01T00:00:01.400Z',
      'content-type': 'application/json',
    });
    const condition = eventOf(3, { kind: 'CONDITION', condition: 'LIGHTING' });
    expect(encodeEventMessage(condition, 'protobuf').headers).toMatchObject({
      ce_type: 'dev.blinkstream.condition.started',
      ce_time: '1970-01-01T00:00:01.200Z',
      'content-type': 'application/protobuf',
    });
  });

  it('holds the JSON of events.jsonl, or the proto message', () => {
    const event = eventOf(3);
    expect(encodeEventMessage(event, 'json').value.toString()).toBe(changeEventToJson(event));
    expect(encodeEventMessage(event, 'protobuf').value).toEqual(Buffer.from(encodeChangeEvent(event)));
  });

  it.each([
    ['EVENT_MESSAGE', 'a deleted one', { value: null, headers: { 'content-type': 'application/json' } }],
    ['EVENT_MESSAGE', 'one without headers', { value: Buffer.from('{}') }],
    ['EVENT_MESSAGE', 'a picture', { value: Buffer.of(0xff, 0xd8), headers: { 'content-type': 'image/jpeg' } }],
    ['PROTO_INVALID', 'other JSON', { value: Buffer.from('{}'), headers: { 'content-type': 'application/json' } }],
    ['PROTO_INVALID', 'other bytes', { value: Buffer.of(7), headers: { 'content-type': 'application/protobuf' } }],
  ])('is refused with %s where it is %s', (code, _, message) => {
    expect(() => decodeEventMessage(message)).toThrow(expect.objectContaining({ code, class: 'data' }));
  });

  it('is told by its content type alone, parameters and case aside', () => {
    const { value } = encodeEventMessage(eventOf(1), 'json');
    const headers = { 'content-type': ['text/plain', 'Application/JSON; charset=utf-8'] };
    expect(decodeEventMessage({ value, headers })).toEqual(eventOf(1));
  });
});

describe('docs/kafka.md', () => {
  /** The words in code at the beginning of the rows below a heading. */
  const headersBelow = (heading: string): string[] => {
    const [, section] = textOf('docs/kafka.md').split(`## ${heading}\n`);
    return [...section.split('\n## ')[0].matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
  };

  it('names the headers that there are', () => {
    expect(headersBelow('Events')).toEqual(Object.keys(encodeEventMessage(eventOf(1), 'json').headers));
    const claim = { camera: 'yard', eventTimeMs: 0, mediaType: 'image/jpeg', sha256: 'ab'.repeat(32) } as const;
    expect(headersBelow('Frames')).toEqual(Object.keys(encodeFrameMessage(claim).headers));
  });
});

describe('a frame as a message', () => {
  const sha256 = 'ab'.repeat(32);
  const frame = { camera: 'yard', eventTimeMs: 1_700_000_000_033.37, mediaType: 'image/jpeg', sha256 } as const;
  const headers = { ce_time: '2023-11-14T22:13:20.033Z', ce_sha256: sha256, 'content-type': 'image/jpeg' };

  it('holds the picture, or names it', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(encodeFrameMessage({ ...frame, bytes })).toEqual({ key: 'yard', value: Buffer.from(bytes), headers });
    expect(encodeFrameMessage(frame)).toEqual({
      key: 'yard',
      value: Buffer.alloc(0),
      headers: { ...headers, ce_dataref: `sha256:${sha256}` },
    });
  });
});
