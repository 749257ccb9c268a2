import { inTime } from './in-time.js';

/** How far an input is behind. */
export interface InputLag {
  readonly source: string;
  /** Of the input's own: the number of a Kafka partition. */
  readonly partition: string;
  /** Messages that are there and have not been committed as read. */
  readonly messages: number;
}

/** Tells the lag of the partitions of an input that this process reads. */
export type InputLagProvider = () => Promise<readonly InputLag[]>;

/** Prometheus gives up after ten seconds unless told otherwise; the other metrics must not go with this one. */
const withinMs = 3_000;

/** What all of them tell; one that fails or takes too long tells nothing and is counted by `onFailure`. */
export async function inputLags(providers: Iterable<InputLagProvider>, onFailure: () => void): Promise<InputLag[]> {
  const asked = await Promise.allSettled([...providers].map(async (provider) => inTime(provider(), withinMs)));
  return asked.flatMap((answer) => {
    if (answer.status === 'fulfilled') return answer.value;
    onFailure();
    return [];
  });
}
