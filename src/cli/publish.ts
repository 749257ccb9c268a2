import { InvalidArgumentError, Option } from 'commander';
import { type CommandFactory, newCommand } from './command.js';
import { oneOf, text, wholeNumber } from './option-values.js';
import { speeds, type PublishOptions } from './publish-options.js';

export const publishCommand: CommandFactory = (act) =>
  newCommand('publish', {
    summary: 'Send the frames of a video or of images to a Kafka topic',
    details:
      'For trying out what reads the topic. Each frame is a message with the camera as key: images as they are, frames ' +
      'of a video as JPEG. Event times begin now, or at --start, and go on at the pace of the input, whatever the speed.',
    examples: [
      'blinkstream publish yard.mp4 --topic frames --brokers 127.0.0.1:9092 --camera yard --repeat',
      'blinkstream publish shots --topic frames --deployment deployment.yaml --speed full --interval 1000',
      'blinkstream publish yard.mp4 --topic frames --brokers 127.0.0.1:9092 --blobs s3://frames/claims',
    ],
  })
    .argument('<input>', 'video file, http(s) URL of one, folder of images, or glob', text)
    .requiredOption('--topic <topic>', 'topic, which is there: none is made', text)
    .option('--brokers <addresses>', 'brokers to begin with, HOST:PORT,HOST:PORT', addresses)
    .addOption(
      new Option('--deployment <file>', 'take brokers, TLS, credentials and blob store from this deployment file')
        .argParser(text)
        .conflicts('brokers'),
    )
    .option('--camera <name>', 'key of the messages (default: name of the input)', text)
    .option('--speed <speed>', 'real: at the pace of the input; full: as fast as it goes', oneOf(speeds), 'real')
    .option('--start <time>', 'event time of the first frame, such as 2026-01-31T08:30:00Z (default: now)', moment)
    .option('--quality <quality>', 'of the JPEG that frames of a video become, 1 to 100', wholeNumber(1, 100), 90)
    .option('--interval <ms>', 'time from image to image, for images that do not tell their own', wholeNumber(1))
    .option(
      '--max-inline-bytes <bytes>',
      'with a blob store: larger pictures go there, and their messages only name them (default: 262144)',
      wholeNumber(0),
    )
    .option('--blobs <place>', 'blob store for large pictures: a folder, or s3://BUCKET/PREFIX', text)
    .option('--repeat', 'begin again at the end, until interrupted')
    .action(
      act(async (io, input: string, options: PublishOptions) => {
        const { runPublish } = await import('./publish-run.js');
        return runPublish(input, options, io);
      }),
    );

const addresses = (value: string): string[] => value.split(',').map((address) => address.trim());

function moment(value: string): number {
  const timeMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(value) ? Date.parse(value) : NaN;
  if (!Number.isNaN(timeMs)) return timeMs;
  throw new InvalidArgumentError('give date, time and zone, such as 2026-01-31T08:30:00Z');
}
