import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadDeployment, parseDeployment } from '../../src/topology/deployment/parse.js';
import { readSecrets, type SecretsFrom } from '../../src/topology/deployment/secrets.js';
import { BlinkstreamError } from '../../src/records/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-secrets-'));
});
afterAll(() => rm(folder, { recursive: true }));

const env = { NAME: 'Ann', PASSWORD: 'p@ss/wörd?#', HOST: '10.0.0.7:8554', EMPTY: '', MULTI: 'a\nb' };
const from = (): SecretsFrom => ({ folder, env });

/** `text` with what it refers to, or what is wrong with it. */
async function resolved(text: string): Promise<unknown> {
  const { value, problems } = (await readSecrets(text, from())).resolve(text);
  return problems.length > 0 ? problems.map(({ message }) => message) : value;
}

describe('references in a text', () => {
  it.each<[string, string]>([
    ['nothing of the kind: $ {} $x {env:NAME}', 'nothing of the kind: $ {} $x {env:NAME}'],
    ['${env:NAME}', 'Ann'],
    ['for ${env:NAME} and ${env:NAME}.', 'for Ann and Ann.'],
    ['$${env:NAME}', '${env:NAME}'],
    ['$${ ${env:NAME} $${', '${ Ann ${'],
    ['${env:MULTI}', 'a\nb'],
    ['{"a": "${env:NAME}"}', '{"a": "Ann"}'],
  ])('%j becomes %j', async (text, expected) => {
    expect(await resolved(text)).toBe(expected);
  });

  it.each<[string, string]>([
    ['rtsp://cam:${env:PASSWORD}@10.0.0.7/main', 'rtsp://cam:p%40ss%2Fw%C3%B6rd%3F%23@10.0.0.7/main'],
    ['rtsp://${env:NAME}:${env:PASSWORD}@${env:HOST}/main', 'rtsp://Ann:p%40ss%2Fw%C3%B6rd%3F%23@10.0.0.7:8554/main'],
    ['http://${env:HOST}/s?pw=${env:PASSWORD}', 'http://10.0.0.7:8554/s?pw=p%40ss%2Fw%C3%B6rd%3F%23'],
    ['http://h/user=a&password=${env:PASSWORD}', 'http://h/user=a&password=p%40ss%2Fw%C3%B6rd%3F%23'],
    ['HTTPS://${env:HOST}', 'HTTPS://10.0.0.7:8554'],
    ['http:${env:PASSWORD}', 'http:p@ss/wörd?#'],
    ['${env:PASSWORD}://h', 'p@ss/wörd?#://h'],
  ])('in a URL a value is percent-encoded, but for host and port: %j becomes %j', async (text, expected) => {
    expect(await resolved(text)).toBe(expected);
  });

  it('a file is taken from the folder, without white space around it', async () => {
    await writeFile(join(folder, 'a token'), '\ufeff  s3cret of\ntwo lines \r\n\n');
    expect(await resolved('${file:a token}')).toBe('s3cret of\ntwo lines');
    expect(await resolved(`\${file:${join(folder, 'a token')}}`)).toBe('s3cret of\ntwo lines');
    expect(await resolved('http://${file:./a token}@h/')).toBe('http://s3cret%20of%0Atwo%20lines@h/');
  });

  it('what cannot be had is told by its name', async () => {
    await writeFile(join(folder, 'blank'), ' \n');
    await writeFile(join(folder, 'most'), 'x'.repeat(64 * 1024));
    await writeFile(join(folder, 'large'), 'x'.repeat(64 * 1024 + 1));
    await writeFile(join(folder, 'binary'), randomBytes(64).fill(0xff, 0, 1));
    const shape = 'after ${ comes env:NAME or file:PATH and then }; for the characters ${ themselves write $${';
    expect(await resolved('${file:most}')).toHaveLength(64 * 1024);
    expect(await resolved('${env:NONE} ${env:EMPTY}')).toEqual([
      'the variable NONE is not set',
      'the variable EMPTY is empty',
    ]);
    expect(await resolved('${file:none} ${file:blank} ${file:large} ${file:binary} ${file:.}')).toEqual([
      `the file ${join(folder, 'none')} cannot be read: ENOENT: no such file or directory`,
      `the file ${join(folder, 'blank')} is empty`,
      `the file ${join(folder, 'large')} has more than 65536 bytes`,
      `the file ${join(folder, 'binary')} is not text`,
      `the file ${folder} cannot be read: EISDIR: illegal operation on a directory`,
    ]);
    for (const wrong of [
      '${NAME}',
      '${env:}',
      '${env:A B}',
      '${env:1}',
      '${file:}',
      '${}',
      '${env:NAME',
      '${vault:x}',
    ]) {
      expect(await resolved(wrong)).toEqual([shape]);
    }
  });
});

const token = 'a-token-that-only-the-tests-know';
const written = `topologies: [{ kind: watch }]
sources:
  - { name: gate, kind: camera, url: 'rtsp://cam:\${env:PASSWORD}@10.0.0.7/main' }
log: { folder: log }
outputs:
  grpc: { listen: 127.0.0.1:0, token: '\${file:token}' }
`;

describe('a deployment file that refers to secrets', () => {
  const load = async (yaml: string) => {
    const file = join(folder, 'deployment.yaml');
    await writeFile(file, yaml);
    return loadDeployment(file, env);
  };

  it('has them in its values', async () => {
    await writeFile(join(folder, 'token'), `${token}\n`);
    const { deployment, secrets } = await load(written);
    expect(deployment.outputs.grpc?.token).toBe(token);
    expect(deployment.sources).toMatchObject([{ url: 'rtsp://cam:p%40ss%2Fw%C3%B6rd%3F%23@10.0.0.7/main' }]);
    expect(secrets.hide(`${token} of p@ss/wörd?#, p%40ss%2Fw%C3%B6rd%3F%23`)).toBe(
      '${file:token} of ${env:PASSWORD}, ${env:PASSWORD}',
    );
  });

  it('tells each that is missing at its place', async () => {
    const wrong = written.replace('PASSWORD', 'YARD_PASSWORD').replace('file:token', 'file:nowhere/token');
    await expect(load(wrong)).rejects.toMatchObject({
      code: 'DEPLOYMENT_INVALID',
      mistakes: [
        { line: 3, column: 38, message: 'the variable YARD_PASSWORD is not set' },
        {
          line: 6,
          column: 39,
          message: `the file ${join(folder, 'nowhere/token')} cannot be read: ENOENT: no such file or directory`,
        },
      ],
    });
  });

  it('shows what is written, where what it refers to is wrong', async () => {
    await writeFile(join(folder, 'kind'), 'a-secret-that-is-no-kind');
    await writeFile(join(folder, 'short'), 'too-short');
    const wrong = written.replace('kind: camera', "kind: '${file:kind}'").replace('file:token', 'file:short');
    const [first] = await mistakesOf(load(wrong));
    expect(first).toBe('"${file:kind}" is no sources[0].kind; there are video, images, camera');
    expect(await mistakesOf(load(written.replace('file:token', 'file:short')))).toEqual([
      'the token has fewer than 16 characters',
    ]);
  });

  it('is told as any other where an alias stands inside of what it stands for', async () => {
    const mistakes = await mistakesOf(load(written.replace('{ folder: log }', '&log { folder: *log }')));
    expect(mistakes).toEqual(['log.folder must be text, and is a mapping']);
  });

  it('must not have a token in it, and does not repeat one', async () => {
    const mistakes = await mistakesOf(load(written.replace('${file:token}', token)));
    expect(mistakes).toEqual(['a token must not stand in the file: give it as ${file:PATH} or ${env:NAME}']);
  });

  const safe = fc.stringMatching(/^Zq7[\w.:-]{5,20}$/);
  const any = fc.string({ unit: 'binary', minLength: 5 }).map((text) => `Zq7${text.replaceAll('\0', '')}\u{1f511}`);

  it('shows none of them in any mistake, whatever they are and wherever they stand', async () => {
    const places = [
      'kind',
      'name',
      'reasoner',
      'sources',
      'input',
      'url',
      'folder',
      'listen',
      'address',
      'tls',
      'window',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(safe, any),
        fc.subarray(places, { minLength: 1 }),
        fc.constantFrom('${env:S}', 'x ${env:S}', '${env:S}${env:S}', 'https://u:${env:S}@h/'),
        async (secret, chosen, reference) => {
          const at = (place: string, otherwise: unknown): unknown => (chosen.includes(place) ? reference : otherwise);
          const yaml = stringify({
            topologies: [
              { kind: at('kind', 'watch'), name: at('name', 'a'), sources: [at('sources', 'yard')] },
              { kind: 'watch', name: at('name', 'a'), options: { reasoner: at('reasoner', 'measured') } },
              { kind: 'watch', name: 'c', options: { window: at('window', {}) } },
            ],
            sources: [
              { name: at('name', 'yard'), kind: 'video', input: at('input', 'a.mp4') },
              { name: at('name', 'yard'), kind: 'camera', url: at('url', 'rtsp://h') },
            ],
            log: { folder: at('folder', 'log') },
            outputs: { grpc: { listen: at('listen', '0.0.0.0:1'), tls: at('tls', undefined), token: reference } },
            workers: { addresses: [at('address', 'h:1'), at('address', 'h:1')], token: reference },
          });
          const secrets = await readSecrets(reference, { folder, env: { S: secret } });
          const parsed = parseDeployment(yaml, secrets);
          if (!('mistakes' in parsed)) throw new Error('it has no mistake');
          for (const { message } of parsed.mistakes) {
            for (const spelling of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
              expect(message).not.toContain(spelling);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('lets none of them out in an error, its causes and its stack', async () => {
    const secrets = await readSecrets('${env:PASSWORD} ${env:NAME}', from());
    const told = new BlinkstreamError('no way to p@ss/wörd?#', {
      code: 'X',
      class: 'external',
      stage: 'source',
      hint: 'try p%40ss%2Fw%C3%B6rd%3F%23',
      exitCode: 2,
      cause: new Error('connect to "p@ss/wörd?#"'),
    });
    const hidden = secrets.hideIn(told);
    expect(hidden).toMatchObject({
      name: 'BlinkstreamError',
      message: 'no way to ${env:PASSWORD}',
      hint: 'try ${env:PASSWORD}',
      code: 'X',
      class: 'external',
      exitCode: 2,
      cause: { message: 'connect to "${env:PASSWORD}"' },
    });
    expect(inspect(hidden, { depth: 5 })).not.toContain('wörd');
    expect(inspect(hidden)).toContain('secrets.test');
    expect(hidden).toBeInstanceOf(BlinkstreamError);
  });

  it('hides a short value only where it stands alone, and one of a few characters not at all', async () => {
    const secrets = await readSecrets('${env:FIVE} ${env:THREE}', { folder, env: { FIVE: 'abcde', THREE: 'xyz' } });
    expect(secrets.hide('abcde, "abcde" and abcdef; xyz')).toBe('${env:FIVE}, "${env:FIVE}" and abcdef; xyz');
  });
});

async function mistakesOf(loading: Promise<unknown>): Promise<string[]> {
  try {
    await loading;
  } catch (error) {
    return (error as { mistakes: { message: string }[] }).mistakes.map(({ message }) => message);
  }
  throw new Error('it has no mistake');
}
