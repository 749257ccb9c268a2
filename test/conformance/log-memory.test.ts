import { memoryLog } from '../../src/log/memory.js';
import { logConformance } from './log.js';

for (const partitions of [1, 3]) {
  logConformance(`log in memory, ${partitions} partitions`, {
    open: (retention) => Promise.resolve(memoryLog({ partitions, ...(retention && { retention }) })),
    numRuns: 100,
  });
}
