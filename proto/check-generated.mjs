// Fails where src/records/generated is not what `buf generate` makes of proto/ now.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const committed = 'src/records/generated';
const fresh = mkdtempSync(join(tmpdir(), 'blinkstream-proto-'));

/** Path below `folder` → text. */
const filesOf = (folder) =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  );

try {
  // The output folder of buf.gen.yaml lies below the one given here.
  execFileSync('buf', ['generate', '--output', fresh], { stdio: 'inherit' });
  const want = filesOf(join(fresh, committed));
  const have = filesOf(committed);
  if (want.size === 0) throw new Error('buf generate made no files');
  const stale = [...new Set([...want.keys(), ...have.keys()])].filter((path) => want.get(path) !== have.get(path));
  for (const path of stale) {
    const what = !want.has(path) ? 'is made of no proto file' : have.has(path) ? 'is out of date' : 'is missing';
    process.stderr.write(`${join(committed, path)} ${what}\n`);
  }
  if (stale.length > 0) {
    process.stderr.write('Run `npm run generate` and commit what it writes.\n');
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true });
}
