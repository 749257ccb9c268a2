import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { checkServer } from '../../src/outputs/mqtt/address.js';
import { mqttOutput, type MqttOutputOptions } from '../../src/outputs/mqtt/mqtt.js';
import { SourceStates } from '../../src/outputs/mqtt/source-states.js';
import { idPart, topicLevel, Topics } from '../../src/outputs/mqtt/topics.js';
import { changeEventToJson } from '../../src/records/convert/change.js';
import type { BlinkstreamError } from '../../src/records/index.js';
import { certificateAuthority } from '../support/certificates.js';
import { FakeLog } from '../support/fake-log.js';
import { MqttBroker } from '../support/mqtt-broker.js';
import { mqtt5Broker } from '../support/mqtt5-broker.js';

let folder: string;
let cursorFile: string;
let log: FakeLog;
let broker: MqttBroker;
let problems: BlinkstreamError[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-mqtt-'));
  cursorFile = join(folder, 'outputs', 'mqtt', 'cursor');
  log = new FakeLog();
  broker = await MqttBroker.start();
  problems = [];
});
afterEach(async () => {
  await broker.close();
  await rm(folder, { recursive: true });
});

const sources = ['yard', 'shelf', 'gate'];
const events = Array.from({ length: 9 }, (_, n) => eventOf(n, { source: sources[n % 3] }));
const ids = events.map(({ eventId }) => eventId);
const homeAssistant = { discoveryPrefix: 'homeassistant', sources: ['yard'] };

const send = (more: Partial<MqttOutputOptions> = {}) =>
  mqttOutput({
    url: broker.url,
    log,
    cursorFile,
    untilEnd: true,
    onProblem: (error) => problems.push(error),
    signal: new AbortController().signal,
    ...more,
  });

/** An output that follows the log, and how to end it. */
const following = (more: Partial<MqttOutputOptions> = {}) => {
  const abort = new AbortController();
  const running = send({ untilEnd: false, signal: abort.signal, ...more });
  return {
    end: () => {
      abort.abort();
      return running;
    },
  };
};

const until = (expectation: () => void) => vi.waitFor(expectation, { timeout: 20_000 });

describe('events to an MQTT broker', () => {
  it('are published each once, in order, to the topic of their source', async () => {
    log.append(...events);
    expect(await send()).toEqual({ events: 9 });
    expect(broker.published).toEqual([
      { topic: 'blinkstream/status', payload: 'online', qos: 1, retain: true },
      ...events.map((event) => ({
        topic: `blinkstream/${event.source}/event`,
        payload: changeEventToJson(event),
        qos: 1,
        retain: false,
      })),
      { topic: 'blinkstream/status', payload: 'offline', qos: 1, retain: true },
    ]);
    expect(problems).toEqual([]);
  });

  it('go on where they stopped, as often as it is started', async () => {
    for (const event of events.slice(0, 4)) {
      log.append(event);
      expect(await send()).toEqual({ events: 1 });
      expect(await send()).toEqual({ events: 0 });
    }
    expect(broker.eventIds).toEqual(ids.slice(0, 4));
  });

  it('follow the log until it is told to end', async () => {
    const output = following({ topicPrefix: 'home/cameras', clientId: 'cameras' });
    log.append(...events.slice(0, 3));
    await until(() => expect(broker.eventIds).toEqual(ids.slice(0, 3)));
    log.append(events[3]);
    await until(() => expect(broker.eventIds).toEqual(ids.slice(0, 4)));
    await output.end();
    expect(broker.on('home/cameras/status')).toEqual(['online', 'offline']);
    expect(broker.clientIds).toEqual(['cameras']);
    expect(log.openReaders).toBe(0);
  });

  it('that were not acknowledged are sent again, with those behind them, and no other', async () => {
    let held = 0;
    broker.handle = ({ payload }, acknowledge) => {
      if (payload.includes(`"${ids[2]}"`) && held++ === 0) return;
      acknowledge();
    };
    const output = following();
    log.append(...events.slice(0, 5));
    await until(() => expect(held).toBe(1));
    expect(broker.eventIds).toEqual(ids.slice(0, 2));
    broker.cut();
    await until(() => expect(broker.eventIds).toEqual(ids.slice(0, 5)));
    await output.end();
    expect(held).toBe(2);
    expect(problems).toMatchObject([{ code: 'MQTT_UNREACHABLE', class: 'external' }]);
  });

  it('that were not acknowledged when it was stopped are sent by the next start', async () => {
    broker.handle = ({ payload }, acknowledge) => {
      if (!payload.includes(`"${ids[1]}"`)) acknowledge();
    };
    const output = following();
    log.append(...events.slice(0, 3));
    await until(() => expect(broker.eventIds).toEqual(ids.slice(0, 1)));
    broker.cut();
    await until(() => expect(problems).not.toEqual([]));
    await broker.close();
    await output.end();
    broker.handle = (_message, acknowledge) => acknowledge();
    await broker.listen();
    expect(await send()).toEqual({ events: 2 });
    expect(broker.eventIds).toEqual(ids.slice(0, 3));
  });

  it('end with words where the log does not hold any more what comes next', async () => {
    log.append(...events.slice(0, 3));
    await send();
    log.append(...events.slice(3, 6));
    log.forget(5);
    await expect(send()).rejects.toMatchObject({ code: 'OUTPUT_MISMATCH', class: 'user' });
  });
});

describe('who is there', () => {
  it('is told by the last will where the connection breaks, and comes again before there is an event', async () => {
    const output = following();
    await until(() => expect(broker.on('blinkstream/status')).toEqual(['online']));
    broker.cut();
    await until(() => expect(broker.on('blinkstream/status')).toEqual(['online', 'offline', 'online']));
    expect(broker.retained().get('blinkstream/status')).toBe('online');
    await output.end();
    expect(broker.retained().get('blinkstream/status')).toBe('offline');
    expect(broker.published.every(({ qos, retain }) => qos === 1 && retain)).toBe(true);
  });

  it('is told when a broker that was away is back, and events with it', async () => {
    await broker.close();
    const output = following();
    log.append(...events.slice(0, 2));
    await until(() => expect(problems).not.toEqual([]));
    expect(problems[0]).toMatchObject({ code: 'MQTT_UNREACHABLE', class: 'external' });
    await broker.listen();
    await until(() => expect(broker.eventIds).toEqual(ids.slice(0, 2)));
    await output.end();
  });
});

describe('for Home Assistant', () => {
  it('a source is a device, from the start or with its first event', async () => {
    log.append(eventOf(1, { source: 'back door/2' }));
    expect(await send({ homeAssistant })).toEqual({ events: 1 });
    const retained = broker.retained();
    expect([...retained.keys()]).toEqual([
      'blinkstream/status',
      'homeassistant/device/blinkstream__yard/config',
      'blinkstream/yard/state',
      'homeassistant/device/blinkstream__back_20door_2F2/config',
      'blinkstream/back%20door%2F2/state',
    ]);
    const order = broker.published.map(({ topic }) => topic.split('/').at(-1));
    expect(order.indexOf('event')).toBeGreaterThan(order.lastIndexOf('config'));
    expect(JSON.parse(retained.get('homeassistant/device/blinkstream__yard/config') ?? '')).toMatchInlineSnapshot(`
      {
        "availability_topic": "blinkstream/status",
        "components": {
          "change": {
            "icon": "mdi:eye-outline",
            "json_attributes_template": "{{ {'open': value_json.open} | tojson }}",
            "json_attributes_topic": "blinkstream/yard/state",
            "name": "Change",
            "platform": "binary_sensor",
            "state_topic": "blinkstream/yard/state",
            "unique_id": "blinkstream__yard__change",
            "value_template": "{{ value_json.change }}",
          },
          "event": {
            "event_types": [
              "started",
              "updated",
              "ended",
            ],
            "icon": "mdi:timeline-text-outline",
            "name": "Event",
            "platform": "event",
            "state_topic": "blinkstream/yard/event",
            "unique_id": "blinkstream__yard__event",
            "value_template": "{{ {'event_type': value_json.phase | lower, 'kind': value_json.kind, 'statement': value_json.statement, 'event_id': value_json.eventId, 'change_id': value_json.changeId} | tojson }}",
          },
          "sentence": {
            "icon": "mdi:text",
            "json_attributes_template": "{{ {'event_id': value_json.eventId} | tojson }}",
            "json_attributes_topic": "blinkstream/yard/state",
            "name": "Last sentence",
            "platform": "sensor",
            "state_topic": "blinkstream/yard/state",
            "unique_id": "blinkstream__yard__sentence",
            "value_template": "{{ value_json.sentence }}",
          },
        },
        "device": {
          "identifiers": [
            "blinkstream__yard",
          ],
          "manufacturer": "Blinkstream",
          "model": "Change tracking",
          "name": "yard",
        },
        "origin": {
          "name": "Blinkstream",
        },
        "qos": 1,
      }
    `);
    expect(retained.get('blinkstream/yard/state')).toBe('{"change":"OFF","open":0,"sentence":null,"eventId":null}');
    expect(JSON.parse(retained.get('blinkstream/back%20door%2F2/state') ?? '')).toEqual({
      change: 'ON',
      open: 1,
      sentence: 'A bottle has gone from the wall (1).',
      eventId: 'change-1.1',
    });
  });

  it('a source is on while a lasting change or an activity is open', async () => {
    const of = (n: number, change: string, fields: Parameters<typeof eventOf>[1] = {}) =>
      eventOf(n, { changeId: change, statement: `${n}`, ...fields });
    log.append(
      of(0, 'bag'),
      of(1, 'person', { kind: 'ACTIVITY' }),
      of(2, 'light', { kind: 'CONDITION', condition: 'LIGHTING' }),
      of(3, 'person', { kind: 'ACTIVITY', phase: 'UPDATED' }),
      of(4, 'person', { kind: 'ACTIVITY', phase: 'ENDED' }),
      of(5, 'bag', { phase: 'ENDED' }),
    );
    await send({ homeAssistant });
    const states = broker.on('blinkstream/yard/state').map((state) => JSON.parse(state) as Record<string, unknown>);
    // The first is what the log says as a whole; what is sent then is what was, step by step.
    expect(states.map(({ change, open, sentence }) => `${String(change)} ${String(open)} ${String(sentence)}`)).toEqual(
      ['OFF 0 5', 'ON 1 0', 'ON 2 1', 'ON 2 2', 'ON 2 3', 'ON 1 4', 'OFF 0 5'],
    );
  });

  it('what was open before a restart still is', async () => {
    log.append(eventOf(0, { changeId: 'bag' }));
    await send({ homeAssistant });
    await send({ homeAssistant: { ...homeAssistant, sources: [] } });
    expect(broker.on('blinkstream/yard/state').at(-1)).toContain('"change":"ON"');
    expect(broker.eventIds).toHaveLength(1);
  });
});

describe('states of sources', () => {
  it('are read out of all pages of the log, and hold the last sentence by time, no longer than a state may be', async () => {
    for (let n = 0; n < 2_500; n++) log.append(eventOf(n, { phase: n % 2 === 0 ? 'ENDED' : 'STARTED' }));
    log.append(eventOf(1, { statement: '🎈'.repeat(300), interval: eventOf(9_000).interval }));
    const state = (await SourceStates.of(log)).of('yard');
    expect(state).toMatchObject({ change: 'ON', open: 1_000, sentence: `${'🎈'.repeat(254)}…` });
  });
});

describe('an MQTT broker that asks who comes', () => {
  const options = {
    authenticate: (_client: unknown, username: string | undefined, password: Buffer | undefined, done: Done) => {
      const isKnown = username === 'camera' && password?.toString() === 'geheim';
      done(isKnown ? null : Object.assign(new Error('no'), { returnCode: username === 'camera' ? 4 : 5 }), isKnown);
    },
  } as Parameters<typeof MqttBroker.start>[0];
  type Done = (error: (Error & { returnCode: number }) | null, success: boolean) => void;

  it('fault 21: is told, and what it does not allow is told with what to do', async () => {
    log.append(events[0]);
    const asking = await MqttBroker.start(options);
    const { url } = asking;
    try {
      await expect(send({ url, username: 'camera', password: 'gehe1m' })).rejects.toMatchObject({
        code: 'MQTT_CREDENTIAL_REFUSED',
        class: 'user',
        message: `the MQTT broker ${url} refuses the user name or the password`,
      });
      await expect(send({ url })).rejects.toMatchObject({ code: 'MQTT_FORBIDDEN', class: 'user' });
      expect(await send({ url, username: 'camera', password: 'geheim' })).toEqual({ events: 1 });
    } finally {
      await asking.close();
    }
  });

  it('is believed to be who it is by its certificate alone', async () => {
    log.append(events[0]);
    const authority = await certificateAuthority();
    const secured = await MqttBroker.start({}, await authority.issue('broker'));
    const ca = join(folder, 'ca.pem');
    await writeFile(ca, authority.ca);
    try {
      await expect(send({ url: secured.url })).rejects.toMatchObject({ code: 'MQTT_UNTRUSTED', class: 'user' });
      expect(await send({ url: secured.url, tls: { ca } })).toEqual({ events: 1 });
      await expect(send({ url: secured.url, tls: { ca: join(folder, 'none.pem') } })).rejects.toMatchObject({
        code: 'TLS_FILE_UNREADABLE',
        class: 'user',
      });
    } finally {
      await secured.close();
    }
  });
});

describe('an MQTT broker of version 5', () => {
  it.each([
    [0, undefined],
    [0x10, undefined],
    [0x87, { code: 'MQTT_FORBIDDEN', class: 'user' }],
    [0x95, { code: 'MQTT_MESSAGE_TOO_LARGE', class: 'data' }],
    [0x90, { code: 'MQTT_TOPIC', class: 'user' }],
  ])('says what it does not take by reason %i, and the event is not lost', async (reason, refusal) => {
    log.append(events[0]);
    let isWrong = true;
    const five = await mqtt5Broker((topic) => (isWrong && topic.endsWith('/event') ? reason : 0));
    try {
      const sent = send({ url: five.url });
      if (refusal) await expect(sent).rejects.toMatchObject(refusal);
      else expect(await sent).toEqual({ events: 1 });
      isWrong = false;
      expect(await send({ url: five.url })).toEqual({ events: refusal ? 1 : 0 });
      expect(problems).toEqual([]);
    } finally {
      five.close();
    }
  });

  it('has what it cannot take for now sent again', async () => {
    log.append(events[0]);
    let count = 0;
    const five = await mqtt5Broker((topic) => (topic.endsWith('/event') && count++ === 0 ? 0x97 : 0));
    try {
      expect(await send({ url: five.url })).toEqual({ events: 1 });
      expect(problems).toMatchObject([{ code: 'MQTT_FAILED', class: 'external' }]);
    } finally {
      five.close();
    }
  });
});

describe('the address of a broker', () => {
  it.each([
    ['mqtt://localhost', {}, 'mqtt localhost 1883'],
    ['mqtt://127.0.0.1:80', {}, 'mqtt 127.0.0.1 80'],
    ['mqtt://[::1]:1884/', {}, 'mqtt ::1 1884'],
    ['mqtts://broker.example.org', {}, 'mqtts broker.example.org 8883'],
    ['MQTTS://broker.example.org:1', { tls: {} }, 'mqtts broker.example.org 1'],
    ['mqtt://10.0.0.1', { allowPlaintext: true, username: 'u', password: 'geheim' }, 'mqtt 10.0.0.1 1883'],
  ])('may be %s', (url, more, told) => {
    const { protocol, host, port } = checkServer({ url, ...more });
    expect(`${protocol} ${host} ${port}`).toBe(told);
  });

  it.each([
    ['MQTT_URL', 'http://localhost', {}],
    ['MQTT_URL', 'geheim', {}],
    ['MQTT_URL', 'mqtt://me:geheim@localhost', {}],
    ['MQTT_URL', 'mqtt://localhost/geheim', {}],
    ['MQTT_URL', 'mqtt://localhost', { tls: {} }],
    ['MQTT_NOT_SECURE', 'mqtt://10.0.0.1', {}],
    ['MQTT_NOT_SECURE', 'mqtt://broker.example.org', { username: 'me', password: 'geheim' }],
    ['MQTT_CREDENTIAL_INCOMPLETE', 'mqtt://localhost', { password: 'geheim' }],
  ])('is refused with %s where it is %s with %j', (code, url, more) => {
    expect(() => checkServer({ url, ...more })).toThrow(
      expect.objectContaining({ code, class: 'user', message: expect.not.stringContaining('geheim') as string }),
    );
  });
});

describe('a name in a topic', () => {
  it('is one level, and can be told from it', () => {
    expect(topicLevel('yard-2.north_a')).toBe('yard-2.north_a');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        expect(topicLevel(name)).toMatch(/^[^/+#\0 ]*$/);
        expect(decodeURIComponent(topicLevel(name))).toBe(name);
      }),
    );
  });

  it('is an id of Home Assistant that no other name has', () => {
    expect(idPart('a_b c-d')).toBe('a_5Fb_20c-d');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const id = idPart(name);
        expect(id).toMatch(/^[A-Za-z0-9_-]*$/);
        expect(id).not.toContain('__');
        const bytes = id.replace(/_([0-9A-F]{2})/g, (_, hex: string) => `%${hex}`);
        expect(decodeURIComponent(bytes)).toBe(name);
      }),
    );
  });

  it.each(['', '/', 'a/', '/a', '$SYS', 'a/+/b', 'a#', 'a\0', 'x'.repeat(201)])('begins with no %j', (prefix) => {
    expect(() => new Topics(prefix)).toThrow(expect.objectContaining({ code: 'MQTT_TOPIC', class: 'user' }));
  });
});
