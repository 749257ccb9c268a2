import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, makeClientConstructor, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesOf, headerOf, headerToProto } from '../../src/records/convert/picture.js';
import { FrameSequence_Trigger } from '../../src/records/generated/blinkstream/v1/frame.js';
import {
  type MeasureRequest,
  type MeasureResponse,
  ReasoningWorkerClient,
  type ReasonHeader,
  type ReasonRequest,
} from '../../src/records/generated/blinkstream/v1/worker_service.js';
import type { WorkerEngine } from '../../src/workers/index.js';
import { limits } from '../../src/workers/limits.js';
import { startWorkerServer, type WorkerServer } from '../../src/workers/server.js';
import { requestsOf } from '../../src/workers/transfer.js';
import { createEngine } from '../support/workers/engine.js';
import { pictureOf, sequenceOf } from '../support/workers/sequences.js';

let engine: WorkerEngine;
let server: WorkerServer;
let client: ReasoningWorkerClient;

beforeEach(async () => {
  engine = await createEngine({});
  server = await startWorkerServer({
    address: '127.0.0.1:0',
    engine: { ...engine, reason: (...given) => engine.reason(...given) },
    version: '1.2.3',
  });
  client = new ReasoningWorkerClient(server.address, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
  });
});
afterEach(async () => {
  client.close();
  await server.close();
});

/** Overrides what the server does with a sequence. */
const reasonWith = (reason: WorkerEngine['reason']) => {
  engine = { ...engine, reason };
};
const deadline = () => Date.now() + 30_000;
const good = () => [...requestsOf(sequenceOf(1), '{"do":"echo"}', 'echo')];
const headerWith = (change: (header: ReasonHeader) => void): ReasonRequest => {
  const [first] = good();
  if (first.message?.$case !== 'header') throw new Error('the first request is the header');
  change(first.message.value);
  return first;
};
const chunk = (picture: number, bytes: number): ReasonRequest => ({
  message: { $case: 'chunk', value: { picture, data: Buffer.alloc(bytes) } },
});

/** Ends with the status that the call ends with. */
async function reason(requests: readonly ReasonRequest[], options: { deadline?: number } = { deadline: deadline() }) {
  const call = client.reason(options);
  for (const request of requests) call.write(request);
  call.end();
  const responses = [];
  try {
    for await (const response of call) responses.push(response as unknown);
    return { code: status.OK, details: '', responses };
  } catch (error) {
    const { code, details } = error as ServiceError;
    return { code, details, responses };
  }
}

describe('a worker server', () => {
  it('takes a sequence and answers with findings and blobs', async () => {
    const { code, responses } = await reason(good());
    expect(code).toBe(status.OK);
    expect(responses).toHaveLength(3);
  });

  it.each<[string, () => readonly ReasonRequest[], RegExp]>([
    ['nothing', () => [], /no header/],
    ['an empty message', () => [{ message: undefined }], /an empty message out of turn/],
    ['a chunk before the header', () => [chunk(0, 32)], /chunk out of turn/],
    ['two headers', () => [good()[0], good()[0]], /header out of turn/],
    ['too few pictures', () => good().slice(0, -1), /only 1 of 2 pictures came whole/],
    ['a picture too short', () => [good()[0], chunk(0, 31)], /only 0 of 2 pictures came whole/],
    ['a picture too long', () => [good()[0], chunk(0, 33)], /more than the 32 bytes announced/],
    ['a picture too many', () => [...good(), chunk(2, 32)], /a chunk of picture 2 where 2 of 2 are whole/],
    ['a picture out of turn', () => [good()[0], chunk(1, 32)], /a chunk of picture 1 where 0 of 2 are whole/],
    ['an empty chunk', () => [good()[0], chunk(0, 0)], /an empty chunk/],
    ['no sequence', () => [headerWith((header) => (header.sequence = undefined))], /sequence is missing/],
    [
      'an unknown trigger',
      () => [headerWith(({ sequence }) => (sequence!.trigger = FrameSequence_Trigger.TRIGGER_UNSPECIFIED))],
      /trigger is trigger_unspecified/,
    ],
    [
      'bytes that are not its size',
      () => [headerWith(({ sequence }) => (sequence!.baseline!.picture!.byteLength = 31))],
      /cannot have 31 bytes/,
    ],
    [
      'an enormous picture',
      () => [
        headerWith(({ sequence }) => {
          const picture = sequence!.baseline!.picture!;
          picture.width = picture.byteLength = limits.pictureBytes + 1;
          picture.height = 1;
        }),
      ],
      /picture 0 of 268435457 bytes/,
    ],
    [
      'pictures enormous together',
      () => [
        headerWith(({ sequence }) => {
          const picture = {
            ...sequence!.baseline!.picture!,
            width: limits.pictureBytes,
            height: 1,
            byteLength: limits.pictureBytes,
          };
          sequence!.frames = Array.from({ length: 5 }, () => ({ ...sequence!.frames[0], picture }));
        }),
      ],
      /bytes of pictures, more than/,
    ],
    [
      'too many pictures',
      () => [
        headerWith(
          ({ sequence }) =>
            (sequence!.frames = Array.from({ length: limits.picturesPerSequence }, () => sequence!.frames[0])),
        ),
      ],
      /1025 pictures, more than 1024/,
    ],
    [
      'too long a question',
      () => [headerWith((header) => (header.question = '?'.repeat(limits.questionChars + 1)))],
      /a question of 10001/,
    ],
  ])('refuses %s', async (_, requests, why) => {
    const { code, details } = await reason(requests());
    expect({ code, details }).toEqual({ code: status.INVALID_ARGUMENT, details: expect.stringMatching(why) as string });
    // And is free for the next.
    expect((await reason(good())).code).toBe(status.OK);
  });

  it('refuses a call without a deadline', async () => {
    expect(await reason(good(), {})).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('deadline') as string,
    });
  });

  it('aborts the work at the deadline, and says until then that it is busy', async () => {
    const told: unknown[] = [];
    const begun = new Promise<void>((resolve) => {
      reasonWith(async (_, { signal }) => {
        resolve();
        await once(signal, 'abort');
        told.push(signal.reason);
        throw new Error('stopped');
      });
    });
    const late = reason(good(), { deadline: Date.now() + 1_500 });
    await begun;
    expect((await reason(good())).code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await late).code).toBe(status.DEADLINE_EXCEEDED);
    while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(told[0]).toBeInstanceOf(Error);
  });

  it('aborts the work when the caller cancels, while it works and while it reads', async () => {
    const aborted = new Promise<void>((resolve) => {
      reasonWith(async (_, { signal }) => {
        call.cancel();
        await once(signal, 'abort');
        resolve();
        throw new Error('stopped');
      });
    });
    const call = client.reason({ deadline: deadline() });
    call.on('error', () => undefined);
    for (const request of good()) call.write(request);
    call.end();
    await aborted;

    const reading = client.reason({ deadline: deadline() });
    reading.on('error', () => undefined);
    reading.write(good()[0]);
    await new Promise<void>((resolve) => setImmediate(resolve));
    reading.cancel();
    reasonWith((await createEngine({})).reason);
    let outcome = await reason(good());
    while (outcome.code === status.RESOURCE_EXHAUSTED) outcome = await reason(good());
    expect(outcome.code).toBe(status.OK);
  });

  it('describes itself and its health', async () => {
    const described = await new Promise((resolve, reject) => {
      client.describe({}, (error, response) => (error ? reject(error) : resolve(response)));
    });
    expect(described).toEqual({
      version: '1.2.3',
      reasoners: ['echo'],
      models: [{ name: 'x', sha256: 'ab'.repeat(32) }],
      capacity: 1,
      pid: process.pid,
      inFlight: 0,
    });
    const Health = makeClientConstructor(healthService, 'Health');
    const health = new Health(server.address, credentials.createInsecure());
    const answer = await new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response: unknown) => (error ? reject(error) : resolve(response));
      (
        health as unknown as {
          check: (request: object, done: (error: ServiceError | null, response: unknown) => void) => void;
        }
      ).check({ service: 'blinkstream.v1.ReasoningWorker' }, done);
    });
    expect(answer).toEqual({ status: 'SERVING' });
    health.close();
  });

  it('measures a picture', async () => {
    const content = pictureOf(700, 600, 3, 3);
    const bytes = Buffer.from(bytesOf(content));
    const measure = (requests: readonly MeasureRequest[]) =>
      new Promise<MeasureResponse>((resolve, reject) => {
        const call = client.measure(new Metadata(), { deadline: deadline() }, (error, response) =>
          error ? reject(error) : resolve(response),
        );
        for (const request of requests) call.write(request);
        call.end();
      });
    const header = (measurements: string[]): MeasureRequest => ({
      message: { $case: 'header', value: { picture: headerToProto(headerOf(content)), measurements } },
    });
    const chunks = [bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)].map((data): MeasureRequest => ({
      message: { $case: 'chunk', value: { picture: 0, data } },
    }));
    const answer = await measure([header(['text', 'embedding']), ...chunks]);
    expect(answer.lines[0].text).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(answer).toMatchObject({ objects: [], embedding: [0.5, -0.5] });
    await expect(measure([header(['smell']), ...chunks])).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(measure([header(['text'])])).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('listens on this machine only where nothing protects it, and says when it cannot', async () => {
    const start = (address: string) => startWorkerServer({ address, engine, version: '1' });
    for (const address of ['0.0.0.0:7000', '192.168.0.4:7000', '[::]:7000', 'example.org:7000']) {
      await expect(start(address)).rejects.toMatchObject({ code: 'ADDRESS_NOT_SECURE', class: 'user' });
    }
    for (const address of ['unix:relative', '127.0.0.1', '127.0.0.1:70000']) {
      await expect(start(address)).rejects.toMatchObject({ code: 'WORKER_ADDRESS_INVALID', class: 'user' });
    }
    await expect(start(server.address)).rejects.toMatchObject({ code: 'WORKER_ADDRESS_IN_USE', class: 'user' });
  });

  it('takes over the socket that a killed worker left behind, and no other file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'blinkstream-socket-'));
    const path = join(folder, 'worker');
    const start = () => startWorkerServer({ address: `unix:${path}`, engine, version: '1' });
    const listen = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const other = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(other.stdout, 'data');
    await expect(start()).rejects.toMatchObject({ code: 'WORKER_ADDRESS_IN_USE' });
    other.kill('SIGKILL');
    await once(other, 'exit');
    const heir = await start();
    await heir.close();
    await writeFile(path, 'of somebody else');
    await expect(start()).rejects.toMatchObject({ code: 'WORKER_ADDRESS_IN_USE' });
    await rm(folder, { recursive: true });
  });
});
