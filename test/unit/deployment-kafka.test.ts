import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kafkaOptionsOf, kafkaSchema } from '../../src/topology/deployment/kafka.js';
import { parseDeployment } from '../../src/topology/deployment/parse.js';
import { codeBlocks } from '../support/documents.js';

const valid = `topologies: [{ kind: watch }]
sources: [{ name: yard, kind: video, input: yard.mp4 }]
log: { folder: log }
`;
const entryOf = (yaml: string) => kafkaSchema.parse(parse(yaml));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-deployment-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('kafka in a deployment file', () => {
  it('names files, which are taken from its folder', async () => {
    for (const name of ['ca', 'cert', 'key']) await writeFile(join(folder, `${name}.pem`), `PEM ${name}\n`);
    const entry = entryOf(
      `{ brokers: ['kafka.example:9093'], tls: { ca: ca.pem, cert: cert.pem, key: '${folder}/key.pem' },
  sasl: { mechanism: SCRAM-SHA-512, username: camera, password: ' pass word ' } }`,
    );
    expect(await kafkaOptionsOf(entry, folder)).toEqual({
      brokers: ['kafka.example:9093'],
      clientId: 'blinkstream',
      allowPlaintext: false,
      tls: { ca: 'PEM ca\n', cert: 'PEM cert\n', key: 'PEM key\n' },
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'camera', password: ' pass word ' },
    });
  });

  it('must not have a password in it, and does not repeat one', () => {
    const parsed = parseDeployment(
      `${valid}kafka: { brokers: ['b:1'], sasl: { mechanism: PLAIN, username: u, password: geheim } }\n`,
    );
    expect(parsed).toMatchObject({
      mistakes: [{ message: 'a password must not stand in the file: give it as ${file:PATH} or ${env:NAME}' }],
    });
  });

  it('is refused with a file that is not there', async () => {
    const entry = entryOf(`{ brokers: ['b:1'], tls: { ca: none.pem } }`);
    await expect(kafkaOptionsOf(entry, folder)).rejects.toMatchObject({
      code: 'KAFKA_FILE_NOT_READABLE',
      class: 'user',
      message: expect.stringContaining('none.pem') as string,
    });
  });

  it('stands in docs/kafka.md as it may stand in a file', () => {
    const examples = codeBlocks('docs/kafka.md').filter(({ language }) => language === 'yaml');
    expect(examples.map(({ code }) => Object.keys(parseDeployment(code)))).toEqual([['deployment', 'text']]);
  });

  it('is told of what is wrong with topics, stores, and outputs without a cluster', () => {
    const parsed = parseDeployment(`${valid}outputs: { kafka: { topic: 'a b', format: jsno } }
blobs: { kind: folder, folder: blobs, maxAgeDays: soon }
`);
    const also = parseDeployment(`${valid}outputs: { kafka: { topic: events } }\n`);
    if (!('mistakes' in parsed) || !('mistakes' in also)) throw new Error('there is no mistake');
    expect([...parsed.mistakes, ...also.mistakes].map(({ line, message }) => `${line} ${message}`)).toEqual([
      '4 outputs.kafka.topic: a topic is named by up to 249 letters, digits and . _ -',
      '4 "jsno" is no outputs.kafka.format; did you mean "json"?',
      '5 blobs.maxAgeDays must be a number, and is text',
      '4 nothing says where Kafka is: add kafka: { brokers: [HOST:PORT] }',
    ]);
  });
});
