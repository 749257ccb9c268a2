// Prints `N passed, N failed, N skipped` of a JSON report of vitest; fails where a test failed or none ran.
import { existsSync, readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const suites = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).testResults : [];
const count = { passed: 0, failed: 0, skipped: 0 };
for (const { status, assertionResults } of suites) {
  for (const { status: outcome } of assertionResults) {
    if (outcome === 'passed' || outcome === 'failed') count[outcome] += 1;
    else count.skipped += 1;
  }
  // A file that does not load, or whose hooks fail, has no failed test of its own.
  if (status === 'failed' && !assertionResults.some(({ status: outcome }) => outcome === 'failed')) count.failed += 1;
}
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed === 0 && count.passed > 0 ? 0 : 1);
