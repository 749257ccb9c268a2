import { type CommandFactory, newCommand } from './command.js';
import { momentTime } from './moment-text.js';
import { oneOf, text, wholeNumber } from './option-values.js';
import { reasoners, type CompareOptions } from './compare-options.js';

export const compareCommand: CommandFactory = (act) =>
  newCommand('compare', {
    summary: 'Tell what differs between two pictures of one scene, or two moments of a recording',
    details:
      'Of the folder of a watch, the pictures that its log holds of both moments are compared: the nearest ones, which ' +
      'are named. With --out it writes DIR/events.jsonl and DIR/report.html as watch does.',
    examples: [
      'blinkstream compare monday.jpg friday.jpg',
      'blinkstream compare yard.mp4 --at 12.5 --with 1:02:07',
      'blinkstream compare out --at 2026-01-31T08:30:00Z --with 2026-02-02T08:30:00Z --out compared',
    ],
  })
    .argument(
      '<source>',
      'a picture; or a video, a folder of images, or the folder of a log (DIR/log), with two moments',
      text,
    )
    .argument('[other]', 'the other picture', text)
    .option('--at <time>', 'one moment: seconds, a clock time such as 02:07.4, or a date and time', momentTime)
    .option('--with <time>', 'the other moment', momentTime)
    .option('--camera <name>', 'which source, of the log of a deployment with several', text)
    .option('--interval <ms>', 'time from image to image, for images that do not tell their own', wholeNumber(1))
    .option('--time-pattern <pattern>', 'how file names tell the time, such as cam-{YYYY}{MM}{DD}-{hh}{mm}{ss}', text)
    .option('--zones <file>', 'areas of the picture: named, included, excluded or private (docs/zones.md)', text)
    .option('--out <dir>', 'folder for events, report and log; made if it is not there', text)
    .option('--reasoner <name>', `who describes what was found: ${reasoners.join(', ')}`, oneOf(reasoners), 'measured')
    .option('--fail-on-change', 'exit with 1 where the scene differs (conditions do not count)')
    .action(
      act(async (io, source: string, other: string | undefined, options: Omit<CompareOptions, 'source' | 'other'>) => {
        const { runCompare } = await import('./compare-run.js');
        return runCompare({ ...options, source, ...(other !== undefined && { other }) }, io);
      }),
    );
