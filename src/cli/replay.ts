import { InvalidArgumentError } from 'commander';
import { parseBound, type ReplayBound } from '../sources/kafka/replay/stretch.js';
import { type CommandFactory, newCommand } from './command.js';
import { oneOf, repeatable, text } from './option-values.js';
import type { ReplayOptions } from './replay-options.js';
import { reasoners } from './watch-options.js';

export const replayCommand: CommandFactory = (act) =>
  newCommand('replay', {
    summary: 'Look at a stretch of a Kafka topic again, beside what was told of it',
    details:
      'FILE is a deployment file; what it says of topologies, limits and workers holds for the replay too. Its events have ' +
      'the run in their topology and ids (watch@RUN). They go into the log of the deployment where that is in Kafka, or ' +
      'into a folder. At the end the changes are held against those of the log. The service that runs meanwhile, its ' +
      'group and its offsets are not touched. The same command with the same --run goes on after an interruption.',
    examples: [
      'blinkstream replay deployment.yaml --from 2026-01-31T08:00:00Z --to 2026-01-31T09:00:00Z --out out/morning',
      'blinkstream replay deployment.yaml --from 2026-01-31T08:00:00Z --camera yard --run stricter',
      'blinkstream replay deployment.yaml --source cameras --from 2/1200 --to 2/4800 --run r1',
    ],
  })
    .argument('<file>', 'deployment file', text)
    .requiredOption('--from <bound>', 'begin at this event time, or at OFFSET or PARTITION/OFFSET', bound)
    .option('--to <bound>', 'end before this event time or offset (default: what is there now)', bound)
    .option('--source <name>', 'which source of the file, where several read a topic', text)
    .addOption(repeatable('--camera <name>', 'look at this camera alone (default: all)', text))
    .option('--run <id>', 'name of the run (default: by the time at which it begins)', runId)
    .option(
      '--reasoner <name>',
      `who describes what was found, instead of what the file says: ${reasoners.join(', ')}`,
      oneOf(reasoners),
    )
    .option('--question <text>', 'what to ask, for reasoners that take a question; measured takes none', text)
    .option(
      '--out <dir>',
      'put events, report and log into this folder, and nothing into the log of the deployment',
      text,
    )
    .action(
      act(async (io, file: string, options: ReplayOptions) => {
        const { runReplay } = await import('./deployment/replay.js');
        return runReplay(file, options, io);
      }),
    );

function bound(value: string): ReplayBound {
  const parsed = parseBound(value);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError(
    'give date, time and zone, such as 2026-01-31T08:30:00Z, or an offset, such as 1200 or 2/1200',
  );
}

/** As names in a deployment file are: it becomes a part of ids. */
function runId(value: string): string {
  if (/^\w[\w.:-]{0,63}$/.test(value)) return value;
  throw new InvalidArgumentError('give up to 64 letters, digits and _ . : -, a letter or digit first');
}
