// Loaded into the processes of a soak run with --import: on SIGUSR2 tells their memory, in bytes, as FOLDER/PID.json.
// `rssBytes` and what of it are mapped files as they are, `heapBytes` and `externalBytes` after a full collection.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.BLINKSTREAM_SOAK_FOLDER;
process.on('SIGUSR2', () => {
  const rssBytes = process.memoryUsage.rss();
  const mappedBytes = 1_024 * Number(/RssFile:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  const file = join(folder, `${process.pid}.json`);
  writeFileSync(`${file}.new`, JSON.stringify({ rssBytes, mappedBytes, heapBytes: heapUsed, externalBytes: external }));
  renameSync(`${file}.new`, file);
});
