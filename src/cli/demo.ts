import { join } from 'node:path';
import { type CommandFactory, newCommand } from './command.js';
import type { DemoOptions } from './demo-run.js';
import { text } from './option-values.js';

const defaultOut = join('out', 'demo');

export const demoCommand: CommandFactory = (act) =>
  newCommand('demo', {
    summary: 'Show the whole way on a clip that it draws itself',
    details:
      'Draws a clip, watches it with worker processes, serves the events over gRPC, prints what a subscriber in ' +
      'another process receives, writes the report, and holds all of it against what was drawn. Exit code 70 where ' +
      'something was missed or made up.',
    examples: ['blinkstream demo', 'blinkstream demo --out /tmp/demo --json'],
  })
    .option(
      '--out <dir>',
      'folder for clip, events, report and log; an earlier demo in it is replaced',
      text,
      defaultOut,
    )
    .action(
      act(async (io, options: DemoOptions) => {
        const { runDemo } = await import('./demo-run.js');
        return runDemo(options, io);
      }),
    );
