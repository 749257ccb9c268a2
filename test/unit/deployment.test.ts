import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { deploymentJsonSchema } from '../../src/topology/deployment/json-schema.js';
import { loadDeployment, parseDeployment } from '../../src/topology/deployment/parse.js';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** `line:column message` of each mistake, in order. */
const told = (yaml: string): string[] => {
  const parsed = parseDeployment(yaml);
  if ('deployment' in parsed) throw new Error('it has no mistake');
  return parsed.mistakes.map(({ line, column, message }) => `${line}:${column} ${message}`);
};

const valid = `topologies:
  - kind: watch
sources:
  - { name: yard, kind: video, input: yard.mp4 }
log: { folder: log }
`;

describe('a deployment file', () => {
  it('has defaults for all that it does not say', () => {
    const parsed = parseDeployment(valid);
    if (!('deployment' in parsed)) throw new Error(JSON.stringify(parsed.mistakes));
    expect(parsed.deployment).toMatchInlineSnapshot(`
      {
        "limits": {
          "budgetMiB": 1024,
          "maxPixels": 100000000,
          "maxSources": 8,
        },
        "log": {
          "folder": "log",
        },
        "operation": {
          "log": "text",
          "openToOtherHosts": false,
        },
        "outputs": {},
        "retention": {
          "pruneEveryMs": 60000,
        },
        "shutdown": {
          "deadlineMs": 20000,
        },
        "sources": [
          {
            "input": "yard.mp4",
            "kind": "video",
            "name": "yard",
            "timeoutMs": 15000,
          },
        ],
        "topologies": [
          {
            "kind": "watch",
            "options": {
              "allowedLatenessMs": 0,
              "reasoner": "measured",
            },
          },
        ],
        "workers": {
          "addresses": [],
          "deadlineMs": 120000,
        },
      }
    `);
  });

  it('is told with place and nearest name of everything that is wrong, in order of the file', () => {
    expect(
      told(`topologeis: []
topologies:
  - kind: wacth
  - kind: watch
    options:
      reasoner: mesured
      window: { prerollMs: 5, postRollMs: 0.5 }
sources:
  - name: yard
    kind: vidoe
  - name: a/b
    kind: images
    input: shots
    intervalMs: soon
  - kind: video
    input: ''
  - name: door
limits:
  maxSources: 0
  budgetMiB: 8
log:
`),
    ).toMatchInlineSnapshot(`
      [
        "1:1 there is no "topologeis" at the top; did you mean "topologies"?",
        "3:11 "wacth" is no topologies[0].kind; did you mean "watch"?",
        "6:17 "mesured" is no topologies[1].options.reasoner; did you mean "measured"?",
        "7:17 there is no "prerollMs" in topologies[1].options.window; did you mean "preRollMs"?",
        "7:43 topologies[1].options.window.postRollMs must be a whole number, and is a fraction",
        "10:11 "vidoe" is no sources[0].kind; did you mean "video"?",
        "11:11 sources[1].name: a name is made of letters, digits and _ . : -, and begins with a letter or digit",
        "14:17 sources[1].intervalMs must be a number, and is text",
        "15:5 sources[2].name is missing",
        "16:12 sources[2].input must not be empty",
        "17:5 sources[3].kind is missing: one of video, images, camera, push, kafka",
        "19:15 limits.maxSources must be at least 1",
        "20:14 limits.budgetMiB must be at least 16",
        "21:5 log must be a mapping, and is empty",
      ]
    `);
  });

  it('is told what is wrong with a schedule', () => {
    expect(
      told(`topologies: [{ kind: watch }]
sources:
  - { name: a, kind: camera, url: 'rtsp://192.0.2.7/', schedule: 'Mo-Fr 18:00-7', timeZone: Europe/Berlin }
  - { name: b, kind: push, timeZone: Europe/Berlin }
  - { name: c, kind: images, input: shots, intervalMs: 5000, schedule: Mo-Fr }
  - { name: d, kind: camera, url: 'rtsp://192.0.2.7/', schedule: Mo-Fr, timeZone: Berlin }
  - { name: e, kind: camera, url: 'rtsp://192.0.2.7/', schedule: 'Mo-Fr 18:00-07:00, Sa-Su', timeZone: Europe/Berlin }
log: { folder: log }
outputs: { grpc: { listen: '127.0.0.1:0' } }
`),
    ).toMatchInlineSnapshot(`
      [
        "3:66 schedule "Mo-Fr 18:00-7": at character 13, "7": a time from 00:00 to 24:00 is expected; write days and hours such as "Mo-Fr 18:00-07:00, Sa-Su"",
        "4:38 timeZone says of which place the schedule is, and there is none",
        "5:72 pictures that are dated by intervalMs have no time of day: say timePattern, or leave it to EXIF",
        "6:83 there is no time zone "Berlin"; name it as IANA does, such as Europe/Berlin",
      ]
    `);
  });

  it('is told of what contradicts itself', () => {
    expect(
      told(`topologies:
  - kind: watch
    sources: [yard, yrad]
  - kind: watch
    sources:
      - yard
  - { kind: module, file: mine.js, sources: [shelf] }
sources:
  - { name: yard, kind: video, input: yard.mp4 }
  - { name: yard, kind: video, input: yard2.mp4 }
  - { name: shelf, kind: images, input: shelf, intervalMs: 5, timePattern: '{YYYY}{MM}{DD}' }
  - { name: door, kind: video, input: door.mp4 }
log: { folder: log }
outputs:
  grpc: { listen: '0.0.0.0:50051' }
operation: { listen: '0.0.0.0:9464' }
workers:
  addresses: [127.0.0.1:7001, 'example.org:7001', 127.0.0.1:7001]
limits: { maxSources: 1 }
`),
    ).toMatchInlineSnapshot(`
      [
        "2:5 two topologies of one name read yard: give one of them another name",
        "3:21 "yrad" is no source of this file; did you mean "yard"?",
        "4:5 two topologies of one name read yard: give one of them another name",
        "4:5 two topologies of one name read yard: give one of them another name",
        "10:13 two sources are named yard: events could not tell them apart",
        "11:76 intervalMs and timePattern are two ways to tell a time",
        "12:5 no topology reads door",
        "15:19 other hosts can reach "0.0.0.0:50051", and there would be no TLS; Give a certificate with its key, and a client CA or a token; or listen on 127.0.0.1, [::1] or unix:PATH.",
        "16:22 "0.0.0.0:9464" is open to other hosts; listen on 127.0.0.1 or [::1], or set operation.openToOtherHosts where names of sources are no secret",
        "18:31 example.org:7001 is another host, and there would be no TLS on the way; Set up TLS for it, with its CA as ca.",
        "18:51 127.0.0.1:7001 is named twice",
        "19:23 5 sources are to be read, and limits.maxSources is 1",
      ]
    `);
  });

  it('has somewhere to push to, and one topology for each camera that is pushed', () => {
    const pushed = (outputs: string) => `topologies:
  - { kind: watch }
  - { kind: module, file: mine.js }
sources:
  - { name: yard, kind: push }
log: { folder: log }
outputs: ${outputs}
`;
    const twice = '5:5 2 topologies read yard, which only one may: push it once for each';
    expect(told(pushed("{ grpc: { listen: '127.0.0.1:0' } }"))).toEqual([twice]);
    expect(told(pushed('{}'))).toEqual([twice, '5:25 nobody can push yard: outputs.grpc says where to']);
  });

  it.each([
    ['no YAML', 'sources: [\n  - x\n'],
    ['a key twice', `${valid}log: { folder: other }\n`],
    ['nothing', ''],
    ['no mapping', '- kind: watch\n'],
    ['two documents', `${valid}---\n${valid}`],
  ])('is told to be wrong where it is %s', (_, yaml) => {
    expect(told(yaml)).toMatchSnapshot();
  });

  it('finds the place of what an alias stands for', () => {
    expect(
      told(`topologies: [{ kind: watch }]
sources:
  - &yard { name: yard, kind: video, input: yard.mp4, timeout: 5 }
  - *yard
log: { folder: log }
`),
    ).toMatchInlineSnapshot(`
      [
        "3:55 there is no "timeout" in sources[0]; did you mean "timeoutMs"?",
        "3:55 there is no "timeout" in sources[1]; did you mean "timeoutMs"?",
      ]
    `);
  });

  it('names the file where it cannot be read or is wrong', async () => {
    await expect(loadDeployment('/nowhere/deployment.yaml')).rejects.toMatchObject({
      code: 'DEPLOYMENT_NOT_READABLE',
      exitCode: 3,
    });
    await expect(loadDeployment(at('package.json'))).rejects.toMatchObject({
      code: 'DEPLOYMENT_INVALID',
      exitCode: 2,
      message: expect.stringMatching(/package\.json:\d+:\d+: .* \(and \d+ more\)$/) as string,
    });
  });
});

describe('deploy/', () => {
  it('has the JSON Schema of the definitions that parse; `npm run docs` writes it', async () => {
    const file = at('deploy/deployment.schema.json');
    const json = JSON.stringify(deploymentJsonSchema());
    await expect(await format(json, { ...(await resolveConfig(file)), filepath: file })).toMatchFileSnapshot(file);
  });

  it('describes every field', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const { properties = {}, ...rest } = schema as { properties?: Record<string, { description?: string }> };
      for (const [name, field] of Object.entries(properties)) {
        if (field.description === undefined) undescribed.push(`${path}.${name}`);
        visit(field, `${path}.${name}`);
      }
      for (const inner of Object.values(rest)) visit(inner, path);
    };
    visit(deploymentJsonSchema(), '');
    expect(undescribed).toEqual([]);
  });

  it('has an example that is valid and names its schema', () => {
    const example = readFileSync(at('deploy/deployment.yaml'), 'utf8');
    expect(example).toMatch(/^# yaml-language-server: \$schema=deployment\.schema\.json$/m);
    expect(parseDeployment(example)).toHaveProperty('deployment');
  });
});
