import { type CommandFactory, newCommand } from './command.js';
import { DEFAULT_MAX_PIXELS } from '../pixels/sharp.js';
import type { DiffOptions } from './diff-options.js';
import { text, wholeNumber } from './option-values.js';

export const diffCommand: CommandFactory = (act) =>
  newCommand('diff', {
    summary: 'Tell what differs between the screenshots of two releases',
    details:
      'Screenshots are paired by their paths. Each change is told once, with exact words, pixels and colours, however ' +
      'many screenshots show it; what was only drawn anew is told apart. Writes DIR/events.jsonl.',
    examples: [
      'blinkstream diff v1/ v2/ --out diff',
      'blinkstream diff before.png after.png --out diff',
      'blinkstream diff v1/ v2/ --out diff --fail-on-change',
    ],
  })
    .argument('<before>', 'a folder of screenshots, or a screenshot', text)
    .argument('<after>', 'the same of the release after', text)
    .requiredOption('--out <dir>', 'folder for events and log; made anew where it holds an earlier diff', text)
    .option(
      '--max-pixels <count>',
      'pixels that a screenshot may have at most',
      wholeNumber(1, DEFAULT_MAX_PIXELS),
      50_000_000,
    )
    .option('--workers <count>', 'worker processes on this machine (default: one a core but one)', wholeNumber(1))
    .option('--fail-on-change', 'exit with 1 where something changed (conditions do not count)')
    .action(
      act(async (io, before: string, after: string, options: Omit<DiffOptions, 'before' | 'after'>) => {
        const { runDiff } = await import('./diff-run.js');
        return runDiff({ ...options, before, after }, io);
      }),
    );
