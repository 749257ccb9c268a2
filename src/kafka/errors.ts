import kafkajs, { type KafkaJSProtocolError } from 'kafkajs';
import { BlinkstreamError, messageOf, type ErrorClass } from '../records/index.js';

/** What was being done, as far as the caller knows. */
export interface KafkaDoing {
  readonly topic?: string;
  /** What was done with the topic, as an ACL names it. */
  readonly operation?: 'READ' | 'WRITE' | 'DESCRIBE' | 'CREATE' | 'DELETE' | 'DESCRIBE_CONFIGS';
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

/** For a promise's `catch`. @throws BlinkstreamError of `kafkaError` */
export const asKafkaError =
  (doing: KafkaDoing) =>
  (thrown: unknown): never => {
    throw kafkaError(thrown, doing);
  };

/** From the outermost to the innermost; all of them, because kafkajs wraps in several ways. */
function causesOf(thrown: unknown): Error[] {
  const causes: Error[] = [];
  for (let error = thrown; error instanceof Error && !causes.includes(error); error = wrappedIn(error)) {
    causes.push(error);
  }
  return causes;
}

/** Of several errors, one for each topic or partition, the first. */
function wrappedIn(error: Error): unknown {
  if (error instanceof kafkajs.KafkaJSAggregateError) return (error.errors as readonly unknown[])[0];
  if (error instanceof kafkajs.KafkaJSDeleteTopicRecordsError) return firstOf(error)?.error;
  return error.cause;
}

/** kafkajs does not declare what it says of the partitions. */
const firstOf = (error: Error): { readonly error?: unknown } | undefined =>
  (error as Error & { readonly partitions?: readonly { readonly error?: unknown }[] }).partitions?.find(
    (partition) => partition.error instanceof Error,
  );

function wordsOf(error: Error, doing: KafkaDoing): Words | undefined {
  if (error instanceof kafkajs.KafkaJSProtocolError) return protocolWords(error, doing);
  if (error instanceof kafkajs.KafkaJSSASLAuthenticationError) {
    return {
      code: 'KAFKA_CREDENTIAL_REFUSED',
      class: 'user',
      message: 'Kafka refuses the user name or the password',
      hint: 'check the credentials, and that the mechanism is the one that the broker offers',
    };
  }
  if (error instanceof kafkajs.KafkaJSGroupCoordinatorNotFound) return coordinatorWords(doing);
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

function protocolWords({ type, message, ...error }: KafkaJSProtocolError, doing: KafkaDoing): Words | undefined {
  const kind = /^([A-Z_]+)_AUTHORIZATION_FAILED$/.exec(type)?.[1];
  // One of several topics: the error says which.
  if (kind !== undefined)
    return forbidden(kind, message, { ...doing, ...('topic' in error && { topic: error.topic as string }) });
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
      return { code: 'KAFKA_FENCED', class: 'external', message: 'another instance writes in place of this one' };
    default:
      return undefined;
  }
}

/** Whoever gives out rights needs to know which right, to what. */
function forbidden(kind: string, message: string, { topic, group, transactionalId, operation }: KafkaDoing): Words {
  const of = {
    TOPIC: { name: topic, operation },
    // Whoever may read as a group may ask for its offsets too; the same for transactions and WRITE.
    GROUP: { name: group, operation: 'READ' },
    TRANSACTIONAL_ID: { name: transactionalId, operation: 'WRITE' },
  }[kind];
  const resource = kind.toLowerCase().replaceAll('_', ' ');
  const name = of?.name === undefined ? '' : ` ${of.name}`;
  const right = of?.operation;
  return {
    code: 'KAFKA_FORBIDDEN',
    class: 'user',
    message: `Kafka does not let this user ${right ?? 'do what it wants to do with'} ${resource}${name}: ${message}`,
    hint: `give it the right: ${rightTo(right ?? 'OPERATION', resource, of?.name)}`,
  };
}

/** What gives it, for whoever is at the cluster. */
const rightTo = (operation: string, resource: string, name = 'NAME'): string =>
  `kafka-acls --add --allow-principal User:NAME --operation ${operation} --${resource.replaceAll(' ', '-')} ${name}`;

/** kafkajs keeps to itself why none names one: that none is there yet, or that the user may not know. */
function coordinatorWords({ group, transactionalId }: KafkaDoing): Words {
  const [operation, resource, name] =
    transactionalId === undefined ? ['READ', 'group', group] : ['WRITE', 'transactional id', transactionalId];
  return {
    code: 'KAFKA_COORDINATOR_UNKNOWN',
    class: 'external',
    message: `no broker says who coordinates ${resource}${name === undefined ? '' : ` ${name}`}`,
    hint: `the cluster may be starting; if it stays, this user lacks the right: ${rightTo(operation, resource, name)}`,
  };
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
