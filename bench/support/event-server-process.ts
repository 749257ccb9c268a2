// A process that serves a log and tells its memory: `node event-server-process.js LOG`, driven over IPC by bench/memory.ts.
import { openLmdbLog } from '../../src/log/lmdb.js';
import { startEventServer } from '../../src/outputs/grpc/server.js';

const log = await openLmdbLog({ path: process.argv[2] });
// The subscriber must stall for as long as it is watched.
const server = await startEventServer({ log, address: '127.0.0.1:0', stallTimeoutMs: 600_000 });
process.on('message', () => process.send?.({ rssBytes: process.memoryUsage.rss() }));
process.on('disconnect', () => process.exit());
process.send?.({ address: server.address });
