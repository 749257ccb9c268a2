import kafkajs from 'kafkajs';
import { BlinkstreamError, messageOf, type ErrorClass } from '../records/index.js';

/** What was being done, as far as the caller knows. */
export interface KafkaDoing {
  readonly topic?: string;
  readonly group?: string;
  readonly transactionalId?: string;
}

interface Words {
  readonly code: string;
  readonly class: ErrorClass;
  readonly message: string;
  readonly hint?: string;
}

/**
 * An error of kafkajs in words, with a class that says what another attempt is worth: `external` may pass; `user` needs
 * somebody to put it right; `data` concerns what was sent alone. One that was put into words already stays as it is,
 * also behind kafkajs's own "number of retries exceeded".
 */
export function kafkaError(thrown: unknown, doing: KafkaDoing = {}): BlinkstreamError {
  const causes = causesOf(thrown);
  const told = causes.find((cause) => cause instanceof BlinkstreamError);
  if (told !== undefined) return told;
  for (const cause of causes.reverse()) {
    const words = wordsOf(cause, doing);
    if (words === undefined) continue;
    const { message, ...details } = words;
    return new BlinkstreamError(message, { ...details, stage: 'source', cause: thrown });
  }
  const isTheirs = thrown instanceof kafkajs.KafkaJSError;
  return new BlinkstreamError(`Kafka${about(doing)}: ${messageOf(thrown)}`, {
    code: isTheirs ? 'KAFKA_FAILED' : 'INTERNAL',
    class: isTheirs ? 'external' : 'internal',
    stage: 'source',
    cause: thrown,
  });
}

/** From the outermost to the innermost; all of them, because kafkajs wraps in several ways. */
function causesOf(thrown: unknown): Error[] {
  const causes: Error[] = [];
  for (let error = thrown; error instanceof Error && !causes.includes(error); error = error.cause) causes.push(error);
  return causes;
}

function wordsOf(error: Error, doing: KafkaDoing): Words | undefined {
  if (error instanceof kafkajs.KafkaJSProtocolError) return protocolWords(error.type, error.message, doing);
  if (error instanceof kafkajs.KafkaJSSASLAuthenticationError) {
    return {
      code: 'KAFKA_CREDENTIAL_REFUSED',
      class: 'user',
      message: 'Kafka refuses the user name or the password',
      hint: 'check the credentials, and that the mechanism is the one that the broker offers',
    };
  }
  if (error instanceof kafkajs.KafkaJSNotImplemented) {
    return {
      code: 'KAFKA_CODEC_UNKNOWN',
      class: 'user',
      message: `messages${about(doing)} are packed in a way that is not known: ${error.message}`,
      hint: 'let their producer use gzip, snappy, lz4, zstd or none',
    };
  }
  return systemWords(error, doing);
}

function protocolWords(type: string, message: string, doing: KafkaDoing): Words | undefined {
  if (type.endsWith('_AUTHORIZATION_FAILED')) {
    const what = { TOPIC: doing.topic, GROUP: doing.group, TRANSACTIONAL_ID: doing.transactionalId }[
      type.slice(0, -'_AUTHORIZATION_FAILED'.length)
    ];
    const kind = type.slice(0, -'_AUTHORIZATION_FAILED'.length).toLowerCase().replaceAll('_', ' ');
    return {
      code: 'KAFKA_FORBIDDEN',
      class: 'user',
      message: `Kafka does not let this user use ${kind}${what === undefined ? '' : ` ${what}`}: ${message}`,
      hint: 'give the user the right to it (kafka-acls)',
    };
  }
  switch (type) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return {
        code: 'KAFKA_TOPIC_UNKNOWN',
        class: 'user',
        message: `there is no topic${doing.topic === undefined ? ' of that name' : ` ${doing.topic}`}`,
        hint: 'create it, or check its name; a user who may not describe it does not see it either',
      };
    case 'INVALID_SESSION_TIMEOUT':
      return {
        code: 'KAFKA_SESSION_TIMEOUT',
        class: 'user',
        message: 'the broker allows no such session time-out',
        hint: 'choose one between group.min.session.timeout.ms and group.max.session.timeout.ms of the broker',
      };
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return {
        code: 'KAFKA_MESSAGE_TOO_LARGE',
        class: 'data',
        message: `a message${about(doing)} is larger than Kafka takes`,
        hint: 'raise max.message.bytes of the topic, or send a claim check instead',
      };
    case 'INVALID_PRODUCER_EPOCH':
    case 'PRODUCER_FENCED':
      return { code: 'KAFKA_FENCED', class: 'external', message: `another instance writes${about(doing)} now` };
    default:
      return undefined;
  }
}

const UNTRUSTED = /self.signed|unable to (?:verify|get (?:local )?issuer)|certificate|alert (?:unknown ca|bad cert)/i;

function systemWords(error: Error, doing: KafkaDoing): Words | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (UNTRUSTED.test(error.message)) {
    return {
      code: 'KAFKA_UNTRUSTED',
      class: 'user',
      message: `the TLS connection to Kafka is refused: ${error.message}`,
      hint: 'check the certificate authority, and the client certificate where the broker wants one',
    };
  }
  const isConnection =
    error instanceof kafkajs.KafkaJSConnectionError || code === 'ECONNREFUSED' || code === 'ENOTFOUND';
  if (!isConnection) return undefined;
  return {
    code: 'KAFKA_UNREACHABLE',
    class: 'external',
    message: `Kafka${about(doing)} cannot be reached: ${error.message}`,
    hint: 'check the addresses of the brokers, and that they run',
  };
}

const about = ({ topic, group }: KafkaDoing): string =>
  `${topic === undefined ? '' : ` of topic ${topic}`}${group === undefined ? '' : ` in group ${group}`}`;
