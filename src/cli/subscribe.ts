import { InvalidArgumentError } from 'commander';
import { BlinkstreamError, type ChangeKind, changeKinds } from '../records/index.js';
import { type CommandFactory, type CommandIo, newCommand } from './command.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { oneOf, repeatable, text } from './option-values.js';
import { clientSecurityOf, type ClientSecurityOptions, withClientSecurity } from './security-options.js';

interface SubscribeOptions extends ClientSecurityOptions {
  readonly from: string;
  readonly cursorFile?: string;
  readonly source: readonly string[];
  readonly topology: readonly string[];
  readonly kind: readonly ChangeKind[];
  readonly onlyNew?: true;
  readonly untilEnd?: true;
}

/** Attempts that may fail, about 8 s, before an address that never answered is taken for a mistake. */
const firstAttempts = 7;

export const subscribeCommand: CommandFactory = (act) =>
  withClientSecurity(
    newCommand('subscribe', {
      summary: 'Print change events of a running watch as they happen',
      details:
        'All events that are kept, then new ones, until it is interrupted; a connection that breaks is made again ' +
        'without losing or repeating any.',
      examples: [
        'blinkstream watch yard.mp4 --out out --listen 127.0.0.1:50051 --keep-serving',
        'blinkstream subscribe --from 127.0.0.1:50051 --kind DISAPPEARED --cursor-file yard.cursor',
        'blinkstream subscribe --from yard.example.org:50051 --ca ca.pem --token-file token.txt',
      ],
    })
      .requiredOption('--from <address>', 'where the watch listens: HOST:PORT or unix:PATH', address)
      .option(
        '--cursor-file <file>',
        'keep in this file how far was read, and go on from there next time (an event that was being printed when the ' +
          'process was killed may come again)',
        text,
      )
      .addOption(repeatable('--source <name>', 'only of this source', text))
      .addOption(repeatable('--kind <kind>', `only of this kind: ${changeKinds.join(', ')}`, oneOf(changeKinds)))
      .addOption(repeatable('--topology <name>', 'only of this topology; replays are NAME@RUN', text))
      .option('--only-new', 'only what is committed from now on, unless the cursor file says otherwise')
      .option('--until-end', 'end when everything that is kept was printed'),
  ).action(act(subscribe));

async function subscribe(io: CommandIo, options: SubscribeOptions): Promise<ExitCode> {
  const [{ subscribeEvents }, { changeEventToJson }, { eventLine }, { readCursor, writeCursor }] = await Promise.all([
    import('../outputs/grpc/client.js'),
    import('../records/convert/change.js'),
    import('./event-lines.js'),
    import('./cursor-file.js'),
  ]);
  const { from, cursorFile, source, kind, topology, onlyNew = false, untilEnd = false } = options;
  const cursor = cursorFile === undefined ? undefined : await readCursor(cursorFile);
  let hasAnswered = false;
  const entries = subscribeEvents({
    address: from,
    security: await clientSecurityOf(from, options, io.env),
    ...(cursor && { cursor }),
    filter: { sources: source, kinds: kind, topologies: topology },
    onlyNew,
    untilEnd,
    signal: io.signal,
    onCertificateUnusable: ({ message }) => io.notes.line(message),
    onRetry: ({ attempt, reason: told }) => {
      const reason = shortReason(told);
      if (!hasAnswered && attempt >= firstAttempts) throw unreachable(from, reason);
      if (attempt === 1 && !io.json) io.notes.line(`no connection to ${from} (${reason}), trying again`);
    },
  });
  for await (const entry of entries) {
    hasAnswered = true;
    if ('event' in entry) {
      if (io.json) io.out.json(changeEventToJson(entry.event));
      else io.out.line(...eventLine(entry.event));
      // A slow reader of ours slows the stream down, and an event counts as read only once it has gone out.
      if (!(await io.out.flush())) break;
    }
    if (cursorFile !== undefined) await writeCursor(cursorFile, entry.cursor);
  }
  return exitCodes.done;
}

function address(value: string): string {
  if (/^unix:.+$/.test(value) || /^(\[[0-9a-f:.]+\]|[^\s:/]+):\d{1,5}$/i.test(value)) return value;
  throw new InvalidArgumentError('give HOST:PORT, such as 127.0.0.1:50051, or unix:PATH');
}

/** grpc-js wraps what the socket said in three sentences. */
const shortReason = (reason: string): string =>
  /Last error: (?:Error: )?(.*?)\. Resolution/.exec(reason)?.[1] ?? reason;

const unreachable = (address: string, reason: string): BlinkstreamError =>
  new BlinkstreamError(`nothing answers on ${address}: ${reason}`, {
    code: 'SERVER_UNREACHABLE',
    class: 'external',
    stage: 'cli',
    hint: `Start it with blinkstream watch INPUT --out DIR --listen ${address}.`,
  });
