// Prints `N passed, N failed, N skipped` of a JSON report of vitest. Fails where a test failed or none ran, and where fewer
// than expected ran against the real broker: with tests added the number goes up, it never goes down.
import { existsSync, readFileSync } from 'node:fs';

const expectedOnBroker = 113;
const onBroker = /\/test\/(integration|conformance)\/[^/]*kafka[^/]*$/;

const [file] = process.argv.slice(2);
const suites = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).testResults : [];
const count = { passed: 0, failed: 0, skipped: 0 };
let passedOnBroker = 0;
for (const { name, status, assertionResults } of suites) {
  for (const { status: outcome } of assertionResults) {
    if (outcome === 'passed' || outcome === 'failed') count[outcome] += 1;
    else count.skipped += 1;
    if (outcome === 'passed' && onBroker.test(name)) passedOnBroker += 1;
  }
  // A file that does not load, or whose hooks fail, has no failed test of its own.
  if (status === 'failed' && !assertionResults.some(({ status: outcome }) => outcome === 'failed')) count.failed += 1;
}
const enoughOnBroker = passedOnBroker >= expectedOnBroker;
if (!enoughOnBroker) console.log(`FAILED: ${passedOnBroker} tests passed against the broker, not ${expectedOnBroker}`);
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed === 0 && count.passed > 0 && enoughOnBroker ? 0 : 1);
