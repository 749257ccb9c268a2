import { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { AskedToWait } from '../../src/outputs/deliver.js';
import { refusalOf } from '../../src/outputs/webhook/answer.js';
import { webhookSigner } from '../../src/outputs/webhook/signature.js';
import { checkTarget } from '../../src/outputs/webhook/target.js';
import { webhookOutput, type WebhookOutputOptions } from '../../src/outputs/webhook/webhook.js';
import { changeEventToJson } from '../../src/records/convert/change.js';
import type { BlinkstreamError } from '../../src/records/index.js';
import { certificateAuthority } from '../support/certificates.js';
import { FakeLog } from '../support/fake-log.js';
import { status, WebhookReceiver } from '../support/webhook-receiver.js';

let folder: string;
let cursorFile: string;
let log: FakeLog;
let receiver: WebhookReceiver;
let problems: { readonly error: BlinkstreamError; readonly retryInMs: number }[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-webhook-'));
  cursorFile = join(folder, 'outputs', 'webhook', 'cursor');
  log = new FakeLog();
  receiver = await WebhookReceiver.start();
  problems = [];
});
afterEach(async () => {
  await receiver.close();
  await rm(folder, { recursive: true });
});

const events = Array.from({ length: 12 }, (_, n) => eventOf(n, { source: ['yard', 'shelf', 'gate'][n % 3] }));
const ids = events.map(({ eventId }) => eventId);
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const send = (more: Partial<WebhookOutputOptions> = {}) =>
  webhookOutput({
    url: receiver.url,
    log,
    cursorFile,
    untilEnd: true,
    onProblem: (error, retryInMs) => problems.push({ error, retryInMs }),
    signal: new AbortController().signal,
    ...more,
  });

describe('events to a webhook', () => {
  it('are posted each once, in order, as lines of events.jsonl', async () => {
    log.append(...events);
    expect(await send()).toEqual({ events: 12 });
    expect(receiver.received.map(({ body }) => body.toString())).toEqual(events.map(changeEventToJson));
    expect(receiver.received.map(({ method, path }) => `${method} ${path}`)).toEqual(
      events.map(() => 'POST /hooks/yard'),
    );
    expect(problems).toEqual([]);
  });

  it('say in their headers what they are, as CloudEvents in binary mode', async () => {
    log.append(eventOf(3, { source: 'höf "1"', phase: 'ENDED', revision: 2 }));
    await send({ headers: { 'X-Room': 'yard' } });
    const [{ headers }] = receiver.received;
    expect(headers).toMatchObject({
      'ce-specversion': '1.0',
      'ce-id': 'change-3.1',
      // In a header every % is escaped once more.
      'ce-source': '/watch/h%25C3%25B6f%2520%25221%2522',
      'ce-type': 'dev.blinkstream.change.ended',
      'ce-subject': 'change-3',
      'ce-time': '1970-01-01T00:00:01.400Z',
      'content-type': 'application/json',
      'user-agent': 'blinkstream',
      'x-room': 'yard',
    });
    expect(decodeURIComponent(String(headers['ce-source']))).toBe(`/watch/${encodeURIComponent('höf "1"')}`);
    expect(Object.keys(headers).filter((name) => name.startsWith('webhook-'))).toEqual([]);
  });

  it('are signed so that who has the secret can tell, and nobody else', async () => {
    log.append(eventOf(1, { eventId: 'watch/y.d/1/1' }));
    const beforeS = Math.floor(Date.now() / 1_000);
    await send({ secret });
    const [{ headers, body }] = receiver.received;
    const [version, signature] = String(headers['webhook-signature']).split(',');
    expect({ version, id: headers['webhook-id'] }).toEqual({ version: 'v1', id: 'watch/y%2Ed/1/1' });
    const timestamp = Number(headers['webhook-timestamp']);
    expect(timestamp).toBeGreaterThanOrEqual(beforeS);
    expect(timestamp).toBeLessThanOrEqual(Date.now() / 1_000);
    const verified = async (bytes: Uint8Array<ArrayBuffer>, text: string) => {
      const key = await webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
      return webcrypto.subtle.verify('HMAC', key, Buffer.from(signature, 'base64'), Buffer.from(text));
    };
    const signed = `watch/y%2Ed/1/1.${timestamp}.${body.toString()}`;
    expect(await verified(new Uint8Array(32).fill(7), signed)).toBe(true);
    expect(await verified(new Uint8Array(32).fill(8), signed)).toBe(false);
    expect(await verified(new Uint8Array(32).fill(7), `${signed} `)).toBe(false);
  });

  it('go on where they stopped, as often as it is started', async () => {
    for (const event of events.slice(0, 4)) {
      log.append(event);
      expect(await send()).toEqual({ events: 1 });
      expect(await send()).toEqual({ events: 0 });
    }
    expect(receiver.ids).toEqual(ids.slice(0, 4));
  });

  it('follow the log until it is told to end', async () => {
    const abort = new AbortController();
    const running = send({ untilEnd: false, signal: abort.signal });
    log.append(...events.slice(0, 3));
    await vi.waitFor(() => expect(receiver.ids).toEqual(ids.slice(0, 3)), { timeout: 20_000 });
    log.append(...events.slice(3, 5));
    await vi.waitFor(() => expect(receiver.ids).toEqual(ids.slice(0, 5)), { timeout: 20_000 });
    abort.abort();
    expect(await running).toMatchObject({ events: expect.any(Number) as number });
    expect(log.openReaders).toBe(0);
    expect(await send({ signal: abort.signal })).toEqual({ events: 0 });
    // The answer to the last one may not have come any more: then it is sent again, and no other is.
    await send();
    expect(receiver.ids.slice(5).filter((id) => id !== ids[4])).toEqual([]);
  });

  it('are those alone that the filter lets through; what it passes over may be pruned', async () => {
    log.append(...events.slice(0, 4), eventOf(20, { kind: 'CONDITION', condition: 'LIGHTING' }));
    log.append(eventOf(21, { phase: 'ENDED' }), eventOf(22, { topology: 'other' }));
    const filter = { sources: ['yard'], kinds: ['DISAPPEARED'], phases: ['STARTED'], topologies: ['watch'] } as const;
    expect(await send({ filter })).toEqual({ events: 2 });
    expect(receiver.ids).toEqual([ids[0], ids[3]]);
    log.forget(7);
    // Another filter goes on from the same place.
    log.append(events[4]);
    expect(await send({ filter: { kinds: [], phases: [] } })).toEqual({ events: 1 });
    expect(receiver.ids).toEqual([ids[0], ids[3], ids[4]]);
  });

  it('end with words where the log does not hold any more what comes next', async () => {
    log.append(...events.slice(0, 3));
    await send();
    log.append(...events.slice(3, 6));
    log.forget(5);
    await expect(send()).rejects.toMatchObject({
      code: 'OUTPUT_MISMATCH',
      class: 'user',
      message: expect.stringContaining(`cannot be sent on to http://127.0.0.1:${receiver.port}: `) as string,
      hint: expect.stringContaining(cursorFile) as string,
    });
  });
});

describe('a webhook that does not take an event', () => {
  it.each([408, 425, 429, 500, 503])(
    'for now (%i) is sent it again until it does, and no other before',
    async (code) => {
      log.append(...events.slice(0, 3));
      receiver.answer = (response, number) => status(number === 1 ? code : 200)(response, number);
      expect(await send()).toEqual({ events: 3 });
      expect(receiver.ids).toEqual([ids[0], ids[1], ids[1], ids[2]]);
      const [, failed, again] = receiver.received;
      expect(again.body).toEqual(failed.body);
      expect(problems).toMatchObject([
        { error: { code: 'WEBHOOK_BUSY', class: 'external', message: expect.stringContaining(`${code}`) as string } },
      ]);
    },
  );

  it('and says for how long it wants to be left alone, is', async () => {
    log.append(events[0]);
    receiver.answer = (response, number) =>
      status(number === 0 ? 503 : 200, number === 0 ? { 'retry-after': '2' } : {})(response, number);
    expect(await send()).toEqual({ events: 1 });
    expect(problems.map(({ retryInMs }) => retryInMs)).toEqual([2_000]);
  });

  it.each([
    [400, 'WEBHOOK_REFUSED', 'its logs say what is wrong'],
    [401, 'WEBHOOK_CREDENTIAL_REFUSED', 'check the headers'],
    [404, 'WEBHOOK_REFUSED', 'check the URL'],
    [410, 'WEBHOOK_GONE', 'remove outputs.webhook'],
    [302, 'WEBHOOK_REDIRECTS', 'redirects are not followed'],
    [304, 'WEBHOOK_REDIRECTS', 'redirects are not followed'],
  ])(
    'for good (%i) ends the output with words, and is sent it first when it starts again',
    async (code, told, hint) => {
      log.append(...events.slice(0, 3));
      receiver.answer = (response, number) =>
        status(number === 1 ? code : 200, number === 1 ? { location: receiver.url } : {})(response, number);
      await expect(send()).rejects.toMatchObject({
        code: told,
        class: 'user',
        message: `http://127.0.0.1:${receiver.port} answers ${code} to event ${ids[1]}`,
        hint: expect.stringContaining(hint) as string,
      });
      expect(problems).toEqual([]);
      expect(await send()).toEqual({ events: 2 });
      expect(receiver.ids).toEqual([ids[0], ids[1], ids[1], ids[2]]);
    },
  );

  it('does not answer, or hangs up, is sent it again', async () => {
    log.append(...events.slice(0, 2));
    receiver.answer = (response, number) => {
      // Not a word; the event was taken, and nobody knows; a head that is never finished.
      if (number === 1) response.destroy();
      else if (number === 2) response.writeHead(200).write('');
      else if (number > 2) response.end();
    };
    expect(await send({ timeoutMs: 300 })).toEqual({ events: 2 });
    expect(receiver.ids).toEqual([ids[0], ids[0], ids[0], ids[1]]);
    expect(problems.map(({ error }) => error.code)).toEqual(['WEBHOOK_TIMEOUT', 'WEBHOOK_UNREACHABLE']);
  });

  it('is away, gets all of them when it is back', async () => {
    log.append(...events.slice(0, 2));
    await receiver.close();
    const abort = new AbortController();
    const running = send({ untilEnd: false, signal: abort.signal });
    await vi.waitFor(() => expect(problems).not.toEqual([]), { timeout: 20_000 });
    expect(problems[0].error).toMatchObject({ code: 'WEBHOOK_UNREACHABLE', class: 'external' });
    await receiver.listen();
    await vi.waitFor(() => expect(receiver.ids).toEqual(ids.slice(0, 2)), { timeout: 20_000 });
    abort.abort();
    await running;
  });

  it('has a certificate that nobody vouches for, is given nothing', async () => {
    const { cert, key } = await (await certificateAuthority()).issue('receiver');
    const server = createServer({ cert, key }, () => expect.fail('it was sent something')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    log.append(events[0]);
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await expect(send({ url })).rejects.toMatchObject({ code: 'WEBHOOK_UNTRUSTED', class: 'user' });
    server.close();
  });
});

describe('secrets of a webhook', () => {
  it('fault 21: are sent, and stand in no message', async () => {
    log.append(events[0]);
    receiver.answer = (response, number) => status(number === 0 ? 503 : 403)(response, number);
    const url = `http://camera:p%40ss%25word@127.0.0.1:${receiver.port}/services/T0PSECRET?token=t0ken`;
    const ended = await send({ url, secret, headers: { 'x-api-key': 'k3ykey' } }).catch((error: unknown) => error);
    const [{ headers, path }] = receiver.received;
    expect(headers).toMatchObject({
      authorization: `Basic ${Buffer.from('camera:p@ss%word').toString('base64')}`,
      'x-api-key': 'k3ykey',
    });
    expect(path).toBe('/services/T0PSECRET?token=t0ken');
    const told = [ended as BlinkstreamError, ...problems.map(({ error }) => error)].map(
      ({ message, hint, stack, cause }) => `${message} ${hint} ${stack} ${String(cause)}`,
    );
    expect(told).toHaveLength(2);
    expect(told.join('\n')).not.toMatch(/p@ss|p%40ss|T0PSECRET|t0ken|k3ykey|BwcH/);
  });

  it.each([
    ['WEBHOOK_URL', { url: 'ftp://me:geheim@example.org/x' }],
    ['WEBHOOK_URL', { url: 'geheim' }],
    ['WEBHOOK_URL', { url: 'https://me:100%geheim@example.org/' }],
    ['WEBHOOK_NOT_SECURE', { url: 'http://me:geheim@hooks.example.org/geheim' }],
    ['WEBHOOK_HEADER', { url: 'https://me:geheim@example.org', headers: { Authorization: 'geheim' } }],
    ['WEBHOOK_HEADER', { url: 'https://example.org', headers: { 'x-key': 'geheim\r\nhost: x' } }],
    ['WEBHOOK_HEADER', { url: 'https://example.org', headers: { 'x key': 'geheim' } }],
    ['WEBHOOK_HEADER', { url: 'https://example.org', headers: { 'ce-id': 'geheim' } }],
  ])('do not stand in %s either', (code, target) => {
    expect(() => checkTarget(target)).toThrow(
      expect.objectContaining({ code, class: 'user', message: expect.not.stringContaining('geheim') as string }),
    );
  });

  it('may be sent in plain text on this machine, and elsewhere only where it is said', () => {
    for (const url of ['http://localhost/x', 'http://127.0.0.2:1/', 'http://[::1]:8080/', 'https://example.org/']) {
      expect(checkTarget({ url }).url).toBe(url);
    }
    expect(checkTarget({ url: 'http://10.0.0.1/a', allowPlaintext: true }).display).toBe('http://10.0.0.1');
  });
});

describe('the signature of a webhook', () => {
  it('is that of the test vector of Standard Webhooks', () => {
    const sign = webhookSigner('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const body = Buffer.from('{"test": 2432232314}');
    const signed = sign('msg_p5jXN8AQM9LWM0D4loKWxJek', body, 1_614_265_330_999);
    expect(signed).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it.each(['geheim', '', 'whsec_', `whsec_${'A'.repeat(28)}`, 'A'.repeat(92), `${'A'.repeat(40)} geheim`])(
    'is made with no secret such as %j',
    (wrong) => {
      expect(() => webhookSigner(wrong)).toThrow(
        expect.objectContaining({ code: 'WEBHOOK_SECRET', message: expect.not.stringContaining('geheim') as string }),
      );
    },
  );
});

describe('an answer', () => {
  const answered = (code: number, retryAfter: string | null = null) =>
    refusalOf({ display: 'https://example.org', eventId: 'e', status: code, retryAfter }, Date.UTC(2026, 0, 1));
  const waitOf = (retryAfter: string | null): number => {
    const refusal = answered(503, retryAfter);
    return refusal instanceof AskedToWait ? refusal.waitMs : NaN;
  };

  it('acknowledges by any 2xx', () => {
    for (let code = 200; code < 600; code++) expect(answered(code) === undefined).toBe(code < 300);
  });

  it.each([
    [null, 0],
    ['', 0],
    ['soon', 0],
    ['0', 0],
    ['7', 7_000],
    ['-7', 0],
    ['86400', 600_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2026 12:00:00 GMT', 600_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ])('with Retry-After: %j is heeded for %i ms', (retryAfter, waitMs) => {
    expect(waitOf(retryAfter)).toBe(waitMs);
  });
});
