/**
 * Sends a log to a topic, for tests to kill: `kafka-sender.js LOG BROKER TOPIC CURSOR-FILE`. Ends at the log's end and
 * tells how many events it sent.
 */
import { openLmdbLog } from '../../../src/log/lmdb.js';
import { kafkaOutput } from '../../../src/outputs/kafka.js';

const [path, broker, topic, cursorFile] = process.argv.slice(2);
const log = await openLmdbLog({ path });
const { events } = await kafkaOutput({
  kafka: { brokers: [broker] },
  topic,
  format: 'json',
  log,
  cursorFile,
  untilEnd: true,
  signal: new AbortController().signal,
});
await log.close();
process.stdout.write(`${events}\n`);
