import {
  changeEventFromJson,
  changeEventToJson,
  decodeChangeEvent,
  encodeChangeEvent,
} from '../records/convert/change.js';
import { timeToJson, timeToProto } from '../records/convert/time.js';
import { BlinkstreamError, type ChangeEvent } from '../records/index.js';

/** How an event is written into a message: the JSON of `events.jsonl`, or the bytes of `blinkstream.v1.ChangeEvent`. */
export const eventFormats = ['json', 'protobuf'] as const;
export type EventFormat = (typeof eventFormats)[number];

/** A message as kafkajs takes it. */
export interface EventMessage {
  /** The source: all events of one go to one partition, where they keep their order. */
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const contentTypes: Readonly<Record<EventFormat, string>> = {
  json: 'application/json',
  protobuf: 'application/protobuf',
};

/**
 * An event as a CloudEvent 1.0 in the binary mode of its Kafka protocol binding. It depends on nothing but the event and
 * the format, so that an event that is sent twice is the same message twice, by the same `ce_id`.
 * @throws BlinkstreamError `PROTO_INVALID` (data), see `changeEventToProto`
 */
export function encodeEventMessage(event: ChangeEvent, format: EventFormat): EventMessage {
  const value = format === 'json' ? Buffer.from(changeEventToJson(event)) : Buffer.from(encodeChangeEvent(event));
  const { first, last } = event.interval;
  const moment = event.revision === 1 ? first : last;
  return {
    key: event.source,
    value,
    headers: {
      ce_specversion: '1.0',
      ce_id: event.eventId,
      ce_source: `/${encodeURIComponent(event.topology)}/${encodeURIComponent(event.source)}`,
      ce_type: `dev.blinkstream.${event.kind === 'CONDITION' ? 'condition' : 'change'}.${event.phase.toLowerCase()}`,
      ce_subject: event.changeId,
      ce_time: timeToJson(timeToProto(moment.timeMs, 'interval')),
      'content-type': contentTypes[format],
    },
  };
}

/** As much of a message as tells its event; kafkajs's are such. */
export interface ReceivedMessage {
  readonly value: Uint8Array | null;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
}

/**
 * The event that a message holds, in whichever format it says.
 * @throws BlinkstreamError `EVENT_MESSAGE` (data) for a message of another kind, `PROTO_INVALID` (data)
 */
export function decodeEventMessage({ value, headers = {} }: ReceivedMessage): ChangeEvent {
  const given = headers['content-type'];
  const told = (Array.isArray(given) ? given.at(-1) : given)?.toString().split(';')[0].trim().toLowerCase();
  const format = eventFormats.find((candidate) => contentTypes[candidate] === told);
  if (format === undefined || value === null) {
    const what = value === null ? 'it is empty' : `its content-type is ${JSON.stringify(told ?? '')}`;
    throw new BlinkstreamError(`the message holds no change event: ${what}`, {
      code: 'EVENT_MESSAGE',
      class: 'data',
      stage: 'log',
      hint: 'let nothing but change events be written to this topic',
    });
  }
  return format === 'json' ? changeEventFromJson(Buffer.from(value).toString()) : decodeChangeEvent(value);
}
