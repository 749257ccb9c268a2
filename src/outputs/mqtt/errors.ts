import { ErrorWithReasonCode } from 'mqtt';
import { BlinkstreamError, messageOf, type ErrorClass } from '../../records/index.js';

/** The broker does not speak the version of MQTT that was tried. */
export class OtherVersion extends Error {}

/** The connection is gone, for no reason that was told. */
export class ConnectionClosed extends Error {
  constructor() {
    super('the connection was closed');
  }
}

interface Words {
  readonly code: string;
  readonly class: ErrorClass;
  readonly says: string;
  readonly hint: string;
}

/** What a broker refuses a connection or a message by, in MQTT 3.1.1 (1 to 5) and 5 (from 128). */
const reasons = new Map<number, Words>([
  ...both(
    [2, 133],
    'MQTT_CLIENT_ID',
    'user',
    'does not take this client id',
    'give another clientId: letters and digits',
  ),
  ...both([3, 136, 137], 'MQTT_UNAVAILABLE', 'external', 'is not ready', 'look at its logs'),
  ...both(
    [4, 134],
    'MQTT_CREDENTIAL_REFUSED',
    'user',
    'refuses the user name or the password',
    'check username and password',
  ),
  ...both(
    [5, 135, 138],
    'MQTT_FORBIDDEN',
    'user',
    'does not allow it',
    'give this user the right to write below the topic prefix, and below the discovery prefix where that is used',
  ),
  ...both(
    [142],
    'MQTT_TAKEN_OVER',
    'external',
    'has another client of the same id',
    'give each service a clientId of its own',
  ),
  ...both([144], 'MQTT_TOPIC', 'user', 'does not take this topic', 'choose another topicPrefix'),
  ...both([149], 'MQTT_MESSAGE_TOO_LARGE', 'data', 'does not take messages of this size', 'let it take larger ones'),
  ...both([154, 155], 'MQTT_UNSUPPORTED', 'user', 'keeps no messages or acknowledges none', 'use another broker'),
]);

function both(
  numbers: readonly number[],
  code: string,
  errorClass: ErrorClass,
  says: string,
  hint: string,
): (readonly [number, Words])[] {
  return numbers.map((number) => [number, { code, class: errorClass, says, hint }] as const);
}

export const reasonError = (reason: number, display: string, cause?: unknown): BlinkstreamError => {
  const { says, ...words } = reasons.get(reason) ?? {
    code: 'MQTT_FAILED',
    class: 'external' as const,
    says: `refuses with reason ${reason}`,
    hint: 'look at its logs',
  };
  return new BlinkstreamError(`the MQTT broker ${display} ${says}`, { ...words, stage: 'output', cause });
};

const UNTRUSTED =
  /self.signed|unable to (?:verify|get (?:local )?issuer)|certificate|not authorized|alert (?:unknown ca|bad cert)/i;

/** What went wrong with a broker, in words; what may pass is `external`. One that is in words stays as it is. */
export function mqttError(thrown: unknown, display: string): BlinkstreamError {
  if (thrown instanceof BlinkstreamError) return thrown;
  if (thrown instanceof OtherVersion) {
    return new BlinkstreamError(`the MQTT broker ${display} speaks neither MQTT 5 nor 3.1.1`, {
      code: 'MQTT_VERSION',
      class: 'user',
      stage: 'output',
      hint: 'use another broker, or a newer version of it',
    });
  }
  if (thrown instanceof ErrorWithReasonCode) return reasonError(thrown.code, display, thrown);
  const { code } = (thrown ?? {}) as NodeJS.ErrnoException;
  const said = messageOf(thrown) || String(code);
  if (UNTRUSTED.test(said)) {
    return new BlinkstreamError(`the TLS connection to the MQTT broker ${display} is refused: ${said}`, {
      code: 'MQTT_UNTRUSTED',
      class: 'user',
      stage: 'output',
      hint: 'check tls.ca, and tls.cert and tls.key where the broker wants a certificate',
      cause: thrown,
    });
  }
  const isSystem = typeof code === 'string' || thrown instanceof ConnectionClosed || thrown instanceof AggregateError;
  const isSilent = said === 'connack timeout';
  if (isSystem || isSilent) {
    const why = isSilent ? 'it does not answer' : said;
    return new BlinkstreamError(`the MQTT broker ${display} cannot be reached: ${why}`, {
      code: 'MQTT_UNREACHABLE',
      class: 'external',
      stage: 'output',
      hint: 'check the URL, and that it runs',
      cause: thrown,
    });
  }
  return new BlinkstreamError(`the MQTT broker ${display}: ${said}`, {
    code: 'MQTT_FAILED',
    class: 'external',
    stage: 'output',
    cause: thrown,
  });
}
