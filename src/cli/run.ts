import { Option } from 'commander';
import { type CommandFactory, newCommand } from './command.js';
import { text } from './option-values.js';

/** What `run` was asked for. */
export interface RunCommandOptions {
  readonly check?: true;
  readonly log?: 'text' | 'json';
}

export const runCommand: CommandFactory = (act) =>
  newCommand('run', {
    summary: 'Run a deployment: many sources, as a service',
    details:
      'FILE is YAML and says what runs; deploy/deployment.yaml is an example, deploy/deployment.schema.json what may stand ' +
      'in it. On SIGTERM what was read is finished and committed; the next start goes on from there. On SIGHUP the file ' +
      'is read again, and its sources change without a break for those that stay.',
    examples: ['blinkstream run deployment.yaml', 'blinkstream run deployment.yaml --check'],
  })
    .argument('<file>', 'deployment file', text)
    .option('--check', 'tell all that is wrong with the file and what it names, and run nothing')
    .addOption(
      new Option('--log <format>', 'how standard error tells what happens; default: operation.log of the file').choices(
        ['text', 'json'],
      ),
    )
    .action(
      act(async (io, file: string, options: RunCommandOptions) => {
        if (options.check) {
          const { checkDeployment } = await import('./deployment/check.js');
          return checkDeployment(file, io);
        }
        const { runDeployment } = await import('./deployment/run.js');
        return runDeployment(file, io, options);
      }),
    );
