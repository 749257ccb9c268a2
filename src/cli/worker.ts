import { once } from 'node:events';
import { Option } from 'commander';
import { devices, type Device } from '../evidence/devices.js';
import { packageVersion } from '../workers/version.js';
import { type CommandFactory, newCommand } from './command.js';
import { exitCodes } from './exit-codes.js';
import { text } from './option-values.js';
import { serverSecurityOf, type ServerSecurityOptions, withServerSecurity } from './security-options.js';
import { styled } from './terminal.js';

interface WorkerOptions extends ServerSecurityOptions {
  readonly listen: string;
  readonly device: Device;
}

/** How long the sequence that is worked on may still take when the worker is asked to end. */
const graceMs = 30_000;

export const workerCommand: CommandFactory = (act) =>
  withServerSecurity(
    newCommand('worker', {
      summary: 'Serve a reasoning worker for a watch in another process',
      details: 'Ends on SIGINT or SIGTERM once the sequence that it works on is done.',
      examples: [
        'blinkstream worker --listen 127.0.0.1:7001',
        'blinkstream watch yard.mp4 --out out --worker-address 127.0.0.1:7001',
        'blinkstream worker --listen 0.0.0.0:7001 --cert worker.pem --key worker.key --token-file token.txt',
      ],
    })
      .requiredOption('--listen <address>', '127.0.0.1:PORT (0: any free port), HOST:PORT or unix:/PATH', text)
      .addOption(new Option('--device <device>', 'what models run on').choices(devices).default('cpu')),
  ).action(
    act(async ({ out, notes, json, env, signal }, { listen, device, ...options }: WorkerOptions) => {
      const [{ createEngine }, { startWorkerServer }] = await Promise.all([
        import('../workers/engine.js'),
        import('../workers/server.js'),
      ]);
      const security = await serverSecurityOf(options, env);
      const engine = await createEngine({ device });
      const server = await startWorkerServer({
        address: listen,
        security,
        onProblem: (problem) => notes.line(problem.message),
        engine,
        version: packageVersion(),
      });
      if (json) out.json(JSON.stringify({ listening: server.address, pid: process.pid }));
      else out.line('worker listens on ', styled('bold', server.address));
      if (!signal.aborted) await once(signal, 'abort');
      await server.close(graceMs);
      return exitCodes.done;
    }),
  );
