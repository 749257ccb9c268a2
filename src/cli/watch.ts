import { type CommandFactory, newCommand } from './command.js';
import { oneOf, repeatable, text, wholeNumber } from './option-values.js';
import { withServerSecurity } from './security-options.js';
import { reasoners, type WatchOptions } from './watch-options.js';

export const watchCommand: CommandFactory = (act) =>
  withServerSecurity(
    newCommand('watch', {
      summary: 'Tell what changes in a video or in a series of images',
      details:
        'Prints each change as it happens, and writes DIR/events.jsonl, DIR/report.html and DIR/log. The same command ' +
        'again after an interruption goes on where it was.',
      examples: [
        'blinkstream watch yard.mp4 --out out',
        'blinkstream watch "shots/*.jpg" --out out --interval 60000',
        'blinkstream watch rtsp://192.0.2.7/main --out out --schedule "Mo-Fr 18:00-07:00, Sa-Su"',
        'blinkstream watch yard.mp4 --out out --listen 127.0.0.1:50051 --keep-serving',
      ],
    })
      .argument('<input>', 'video file, http(s) or rtsp URL, folder of images, or glob', text)
      .requiredOption('--out <dir>', 'folder for events, report and log; made if it is not there', text)
      .option('--name <name>', 'name of the source in events (default: that of the input)', text)
      .option('--zones <file>', 'areas of the picture: named, included, excluded or private (docs/zones.md)', text)
      .option('--schedule <hours>', 'tell only what changes in these hours, such as "Mo-Fr 18:00-07:00, Sa-Su"', text)
      .option(
        '--time-zone <zone>',
        'time zone of schedule and report, such as Europe/Berlin (default: this machine’s)',
        text,
      )
      .option('--interval <ms>', 'time from image to image, for images that do not tell their own', wholeNumber(1))
      .option('--time-pattern <pattern>', 'how file names tell the time, such as cam-{YYYY}{MM}{DD}-{hh}{mm}{ss}', text)
      .option('--workers <count>', 'local worker processes (default: cores − 1, at least one)', wholeNumber(1, 256))
      .addOption(
        repeatable(
          '--worker-address <address>',
          'use the worker that listens there, instead of local ones',
          text,
        ).conflicts('workers'),
      )
      .option(
        '--listen <address>',
        'serve events over gRPC on 127.0.0.1:PORT (0: any free port), HOST:PORT or unix:PATH',
        text,
      )
      .option('--keep-serving', 'serve on after the end of the input, until interrupted')
      .option(
        '--reasoner <name>',
        `who describes what was found: ${reasoners.join(', ')}`,
        oneOf(reasoners),
        'measured',
      )
      .option('--fail-on-change', 'exit with 1 where the scene changed (conditions do not count)'),
  ).action(
    act(async (io, input: string, options: Omit<WatchOptions, 'input'>) => {
      const { runWatch } = await import('./watch-run.js');
      return runWatch({ ...options, input }, io);
    }),
  );
