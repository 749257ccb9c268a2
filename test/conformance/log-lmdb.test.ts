import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openLmdbLog } from '../../src/log/lmdb.js';
import { logConformance } from './log.js';

const root = mkdtempSync(join(tmpdir(), 'blinkstream-log-'));
let logs = 0;
afterAll(() => rmSync(root, { recursive: true }));

logConformance('log in LMDB', {
  open: (retention) => openLmdbLog({ path: join(root, `log.${logs++}`), ...(retention && { retention }) }),
  numRuns: 12,
});
