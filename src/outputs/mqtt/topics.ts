import { BlinkstreamError } from '../../records/index.js';

/** Where the messages of one output go. */
export class Topics {
  /** Retained: `online`, or `offline` by the last will. */
  readonly status: string;

  /** @throws BlinkstreamError `MQTT_TOPIC` (user) where the prefix cannot be one */
  constructor(readonly prefix: string) {
    checkPrefix(prefix, 'topicPrefix');
    this.status = `${prefix}/status`;
  }

  /** Each event of a source, not retained. */
  event(source: string): string {
    return `${this.prefix}/${topicLevel(source)}/event`;
  }

  /** What is to be said of a source now, retained. */
  state(source: string): string {
    return `${this.prefix}/${topicLevel(source)}/state`;
  }
}

/**
 * A name as one level of a topic: percent-encoded as in a URL, so that no `/`, `+`, `#` or NUL is left and
 * `decodeURIComponent` gives the name back. Names of letters, digits and `. _ -` stay as they are.
 */
export const topicLevel = (name: string): string => encodeURIComponent(name);

/**
 * A name of letters, digits, `-` and `_` alone, as ids of Home Assistant must be: every other byte of its UTF-8, and `_`
 * itself, is `_` and two hexadecimal digits in upper case. So no two names become one.
 */
export const idPart = (name: string): string =>
  [...Buffer.from(name)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9-]/.test(char) ? char : `_${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');

/** @throws BlinkstreamError `MQTT_TOPIC` (user) */
export function checkPrefix(prefix: string, option: string): void {
  // `$` begins topics of the broker's own.
  const isOne = /^[^$/+#\0][^+#\0]*$/.test(prefix) && !prefix.endsWith('/') && Buffer.byteLength(prefix) <= 200;
  if (isOne) return;
  throw new BlinkstreamError(`${JSON.stringify(prefix.slice(0, 80))} cannot begin topics of MQTT`, {
    code: 'MQTT_TOPIC',
    class: 'user',
    stage: 'output',
    hint: `give as ${option} one level or several, such as home/blinkstream: no + or #, no $ or / before it, no / behind it`,
    exitCode: 2,
  });
}
