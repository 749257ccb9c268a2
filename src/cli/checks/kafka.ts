import { once } from 'node:events';
import { connect } from 'node:net';
import { hostAndPort } from '../../grpc/address.js';
import { messageOf } from '../../records/index.js';
import { type Check, lacking } from './check.js';

/** Longest wait for a broker. */
const answerMs = 3_000;
/** ApiVersions v0, correlation id 1, no client id: what every broker answers before all else. */
const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
/** Length and correlation id, by which an answer is known. */
const headBytes = 8;

export const broker: Check = {
  name: 'Kafka broker',
  needed: false,
  remedy:
    'needed only for frames or events through Kafka: name one with --brokers HOST:PORT[,HOST:PORT] or in KAFKA_BROKERS',
  async find({ KAFKA_BROKERS: brokers }) {
    if (!brokers) throw lacking('no broker is named');
    const problems: string[] = [];
    for (const address of brokers.split(',').map((one) => one.trim())) {
      const found = await asked(address);
      if (found.problem === undefined) return `${address} ${found.answer}`;
      problems.push(`${address}: ${found.problem}`);
    }
    throw lacking(
      `no broker answers (${problems.join('; ')})`,
      undefined,
      'start it, or check the addresses, the firewall in between, and listeners in its server.properties',
    );
  },
};

type Asked = { readonly answer: string; readonly problem?: never } | { readonly problem: string };

/** Whether a broker is at `HOST:PORT`. One that wants TLS says nothing to plain text. */
async function asked(address: string): Promise<Asked> {
  const at = hostAndPort(address);
  if (at === undefined) return { problem: 'not HOST:PORT' };
  const socket = connect(at).setTimeout(answerMs);
  socket.once('timeout', () => socket.destroy(new Error(`no answer within ${answerMs / 1_000} s`)));
  try {
    await once(socket, 'connect');
  } catch (error) {
    return { problem: messageOf(error) };
  }
  try {
    socket.write(request);
    for await (const head of socket as AsyncIterable<Buffer>) {
      if (head.byteLength >= headBytes && head.readInt32BE(4) === 1) return { answer: 'answers' };
      break;
    }
  } catch {
    // It hung up, or said nothing.
  } finally {
    socket.destroy();
  }
  return silent;
}

const silent = { answer: 'takes connections and says nothing in plain text: as it should where it wants TLS' } as const;
