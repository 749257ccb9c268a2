import type { DeadLetter } from '../../records/index.js';
import type { PoisonMessage } from './message.js';

/** Larger values stay where they are: the coordinates find them. Well below what a topic takes by default. */
const MAX_VALUE_BYTES = 512 * 1_024;

export function deadLetterOf(
  { message, camera, error }: PoisonMessage,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): DeadLetter {
  const { key, headers, value, offset } = message;
  return {
    where: `${topic}/${partition}/${offset}`,
    ...(camera !== undefined && { source: camera }),
    code: error.code,
    problem: error.message,
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(key && { key }),
    headers,
    // A letter may wait for long, and would keep its whole fetch.
    ...(value.byteLength <= MAX_VALUE_BYTES && { value: Buffer.from(value) }),
  };
}
