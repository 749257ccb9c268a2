import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { securityProblems } from '../../src/cli/deployment/secrets.js';
import { eventsWait, noteJson } from '../../src/operation/notes.js';
import { BlinkstreamError } from '../../src/records/index.js';
import { mqttOptionsOf } from '../../src/topology/deployment/mqtt.js';
import { loadDeployment, parseDeployment } from '../../src/topology/deployment/parse.js';
import { readSecrets } from '../../src/topology/deployment/secrets.js';
import { webhookOptionsOf } from '../../src/topology/deployment/webhook.js';
import { codeBlocks } from '../support/documents.js';

const valid = `topologies: [{ kind: watch }]
sources: [{ name: yard, kind: video, input: yard.mp4 }]
log: { folder: log }
`;
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const env = {
  HOOK: 'https://hooks.example.org/services/T0PSECRET',
  TOKEN: 'token-of-16-characters',
  SECRET: secret,
  PASSWORD: 'pass word',
  WRONG: 'geheim-geheim',
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-deployment-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Of a file with these `outputs`: what it says, or its mistakes as `line message`. */
async function outputsOf(yaml: string, head = valid) {
  const file = join(folder, 'deployment.yaml');
  await writeFile(file, `${head}outputs:\n${yaml}`);
  return loadDeployment(file, env);
}
async function mistakesOf(yaml: string, head = valid): Promise<string[]> {
  const all = `${head}outputs:\n${yaml}`;
  const secrets = await readSecrets(all, { folder, env });
  const parsed = parseDeployment(all, secrets);
  if (!('mistakes' in parsed)) throw new Error('it has no mistake');
  return parsed.mistakes.map(({ line, message }) => `${line} ${message}`);
}

describe('outputs.webhook', () => {
  it('is what the output takes, references in the place of secrets', async () => {
    const { deployment } = await outputsOf(`  webhook:
    url: \${env:HOOK}
    headers: { authorization: 'Bearer \${env:TOKEN}', x-room: yard }
    secret: \${env:SECRET}
    filter: { kinds: [APPEARED], phases: [STARTED, ENDED] }
`);
    if (deployment.outputs.webhook === undefined) throw new Error('there is none');
    expect(webhookOptionsOf(deployment.outputs.webhook)).toEqual({
      url: env.HOOK,
      headers: { authorization: 'Bearer token-of-16-characters', 'x-room': 'yard' },
      secret,
      timeoutMs: 15_000,
      filter: { sources: [], topologies: [], kinds: ['APPEARED'], phases: ['STARTED', 'ENDED'] },
      allowPlaintext: false,
    });
  });

  it('is told of what is wrong, with line and nearest name', async () => {
    expect(
      await mistakesOf(`  webhook:
    urll: https://example.org
    timeoutMs: 0
    filter: { kinds: [APEARED], phases: [BEGUN], source: [yard] }
`),
    ).toMatchInlineSnapshot(`
      [
        "6 outputs.webhook.url is missing",
        "6 there is no "urll" in outputs.webhook; did you mean "url"?",
        "7 outputs.webhook.timeoutMs must be at least 1",
        "8 "APEARED" is no outputs.webhook.filter.kinds[0]; did you mean "APPEARED"?",
        "8 "BEGUN" is no outputs.webhook.filter.phases[0]; there are STARTED, UPDATED, ENDED",
        "8 there is no "source" in outputs.webhook.filter; did you mean "sources"?",
      ]
    `);
    expect(
      await mistakesOf(`  webhook:
    url: http://hooks.example.org/geheim
    headers: { authorization: Bearer geheim, X-Api-Key: geheim, 'ce-id': x }
    secret: geheim
`),
    ).toMatchInlineSnapshot(`
      [
        "6 events would travel to hooks.example.org in plain text; give an https URL, or allow plain text where the network in between is trusted",
        "7 a header authorization must not stand in the file: give it as \${file:PATH} or \${env:NAME}",
        "7 a header X-Api-Key must not stand in the file: give it as \${file:PATH} or \${env:NAME}",
        "7 the header ce-id is set by the output itself; leave it out",
        "8 a secret must not stand in the file: give it as \${file:PATH} or \${env:NAME}",
      ]
    `);
    expect(
      await mistakesOf(`  webhook: { url: 'ftp://me:geheim@example.org', secret: '\${env:WRONG}' }
  mqtt: { url: 'mqtt://broker.example.org', username: me, password: geheim, topicPrefix: 'a/#', discoveryPrefix: /x }
`),
    ).toMatchInlineSnapshot(`
      [
        "5 the URL of the webhook is none of http or https; give https://HOST/PATH, special characters in a password percent-encoded",
        "5 the secret of the webhook is not base64 of 24 to 64 bytes; make one with openssl rand -base64 32",
        "6 events and the password would travel to mqtt://broker.example.org:1883 in plain text; write mqtts://, or allow plain text where the network in between is trusted",
        "6 a password must not stand in the file: give it as \${file:PATH} or \${env:NAME}",
        "6 "a/#" cannot begin topics of MQTT; give as topicPrefix one level or several, such as home/blinkstream: no + or #, no $ or / before it, no / behind it",
        "6 "/x" cannot begin topics of MQTT; give as discoveryPrefix one level or several, such as home/blinkstream: no + or #, no $ or / before it, no / behind it",
      ]
    `);
  });

  it('is refused beside a log in Kafka, which each instance reads', async () => {
    const head = valid.replace('{ folder: log }', '{ folder: log, kafka: { prefix: changes } }');
    const mistakes = await mistakesOf(
      `  webhook: { url: 'https://example.org' }\n  mqtt: { url: 'mqtt://localhost' }\nkafka: { brokers: ['localhost:9092'] }\n`,
      head,
    );
    expect(mistakes).toEqual([
      '5 each instance reads all of a log in Kafka, and would send every event once more: read PREFIX.events',
      '6 each instance reads all of a log in Kafka, and would send every event once more: read PREFIX.events',
    ]);
  });
});

describe('outputs.mqtt', () => {
  it('is what the output takes, paths from the folder of the file', async () => {
    const { deployment } = await outputsOf(`  mqtt:
    url: mqtts://broker.example.org
    username: camera
    password: \${env:PASSWORD}
    tls: { ca: ca.pem, key: /k.pem, cert: c.pem }
    homeAssistant: true
`);
    const { mqtt } = deployment.outputs;
    if (mqtt === undefined) throw new Error('there is none');
    expect(mqttOptionsOf(mqtt, '/etc/blinkstream', deployment.sources)).toEqual({
      url: 'mqtts://broker.example.org',
      topicPrefix: 'blinkstream',
      allowPlaintext: false,
      username: 'camera',
      password: 'pass word',
      tls: { ca: '/etc/blinkstream/ca.pem', cert: '/etc/blinkstream/c.pem', key: '/k.pem' },
      homeAssistant: { discoveryPrefix: 'homeassistant', sources: ['yard'] },
    });
  });

  it('is looked at with its certificates by --check', async () => {
    const loaded = await outputsOf(`  mqtt: { url: 'mqtts://broker.example.org', tls: { ca: none.pem } }\n`);
    expect(await securityProblems(loaded)).toMatchObject([
      { path: ['outputs', 'mqtt', 'tls'], error: { code: 'TLS_FILE_UNREADABLE' } },
    ]);
  });
});

describe('events that wait', () => {
  it.each([
    ['kafka', 'Kafka'],
    ['webhook', 'the webhook'],
    ['mqtt', 'MQTT'],
  ] as const)('for outputs.%s are told of with its name', (output, told) => {
    const error = new BlinkstreamError('it is away', {
      code: 'AWAY',
      class: 'external',
      stage: 'output',
      hint: 'look',
    });
    expect(JSON.parse(noteJson(eventsWait(output, error, 1_200), 0))).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      code: 'EVENTS_WAIT',
      output,
      message: `events wait for ${told}: it is away; again in 2 s`,
      error: 'AWAY',
      hint: 'look',
    });
  });
});

describe('docs/outputs.md', () => {
  it('has examples as they may stand in a file', async () => {
    const examples = codeBlocks('docs/outputs.md').filter(
      ({ language, code }) => language === 'yaml' && code.includes('topologies:'),
    );
    expect(examples).toHaveLength(1);
    const file = join(folder, 'example.yaml');
    // Secrets of the example are files; here they are variables.
    const code = examples[0].code.replace(/\$\{file:[^}]*\/(\w+)[^}]*\}/g, (_, name: string) => `\${env:${name}}`);
    await writeFile(file, code);
    const given = { hook: env.HOOK, token: env.TOKEN, secret, password: env.PASSWORD };
    const { deployment } = await loadDeployment(file, given);
    expect(Object.keys(deployment.outputs)).toEqual(['webhook', 'mqtt']);
  });
});
