import type { Message } from 'kafkajs';
import type { DeadLetter } from '../records/index.js';

/**
 * A dead letter as it is kept: key, value and headers as they came, and in headers of ours what was wrong with it. To try
 * it again, take those off and send it to the topic that `blinkstream-where` begins with.
 */
export function deadLetterMessage({ where, source, code, problem, hint, key, headers, value }: DeadLetter): Message {
  return {
    key: key === undefined ? null : Buffer.from(key),
    value: value === undefined ? null : Buffer.from(value),
    headers: {
      ...headers,
      'blinkstream-where': where,
      'blinkstream-code': code,
      'blinkstream-problem': problem,
      ...(hint !== undefined && { 'blinkstream-hint': hint }),
      ...(source !== undefined && { 'blinkstream-source': source }),
    },
  };
}
