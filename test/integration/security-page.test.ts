/** What docs/security.md shows works as it stands there. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subscribeEvents } from '../../src/outputs/grpc/client.js';
import { startEventServer } from '../../src/outputs/grpc/server.js';
import { loadDeployment } from '../../src/topology/deployment/parse.js';
import { codeBlocks } from '../support/documents.js';
import { FakeLog } from '../support/fake-log.js';
import { PemFolder } from '../support/pem-files.js';

const run = promisify(execFile);
const blocks = codeBlocks('docs/security.md');
const hasOpenSsl3 = await run('openssl', ['version']).then(
  ({ stdout }) => /^OpenSSL [3-9]/.test(stdout),
  () => false,
);

let folder: PemFolder;
beforeAll(async () => {
  folder = await PemFolder.make();
});
afterAll(() => folder.remove());

describe('docs/security.md', () => {
  it.runIf(hasOpenSsl3)('makes certificates and a token that let a subscriber in', async () => {
    const script = blocks.find(({ code }) => code.includes('openssl req'))?.code ?? '';
    await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder.path });
    const at = (name: string): string => join(folder.path, name);
    const token = (await readFile(at('token.txt'), 'utf8')).trim();
    const server = await startEventServer({
      log: new FakeLog(),
      address: '127.0.0.1:0',
      security: { tls: { cert: at('server.pem'), key: at('server.key'), clientCa: at('ca.pem') }, token },
    });
    const stream = subscribeEvents({
      address: server.address,
      security: { tls: { ca: at('ca.pem'), cert: at('client.pem'), key: at('client.key') }, token },
      signal: new AbortController().signal,
    });
    expect((await stream.next()).value).toMatchObject({ progress: { caughtUp: true } });
    await stream.return();
    await server.close();
  });

  it('has deployments that are valid', async () => {
    const deployments = blocks.filter(({ language }) => language === 'yaml');
    expect(deployments.length).toBeGreaterThan(1);
    const token = await folder.text('events-token', 'a-token-that-only-the-tests-know');
    for (const { code } of deployments) {
      const file = await folder.text('deployment.yaml', code.replace('/run/secrets/events-token', token));
      expect(await loadDeployment(file, { GATE_PASSWORD: 'p@ss' })).toHaveProperty('deployment');
    }
  });
});
