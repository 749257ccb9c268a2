import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3Access } from '../../src/blobs/s3-access.js';
import { s3Store, type S3StoreOptions } from '../../src/blobs/s3.js';
import { describeS3, s3Server } from '../support/s3/server.js';
import { blobConformance } from './blobs.js';

const closedPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
};

await describeS3('S3', () => {
  const s3 = s3Server();
  const at = (options: Partial<S3StoreOptions> = {}): S3StoreOptions => {
    const { endpoint, bucket, allowed: credentials } = s3();
    return { endpoint, bucket, prefix: 'claims/of (one) camera', region: 'us-east-1', credentials, ...options };
  };
  let port: number;
  beforeAll(async () => {
    port = await closedPort();
  });

  blobConformance('a bucket', () => ({
    open: (options) => s3Store(at(options)),
    damage: async (sha256, bytes) => {
      const client = new AwsClient({ ...s3().allowed, service: 's3', region: 'us-east-1' });
      const answer = await client.fetch(s3Access(at()).keyUrl(sha256), { method: 'PUT', body: bytes });
      expect(answer.status).toBe(200);
    },
    unreachable: () => s3Store(at({ endpoint: `http://127.0.0.1:${port}` })),
    refusing: () => s3Store(at({ credentials: s3().denied })),
  }));

  it.each([
    ['a wrong secret', { credentials: { accessKeyId: '', secretAccessKey: 'wrong' } }, /SignatureDoesNotMatch/],
    [
      'a key that nobody has',
      { credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } },
      /InvalidAccessKeyId/,
    ],
    ['a bucket that is not there', { bucket: 'no-such-bucket' }, /NoSuchBucket/],
  ])('refuses %s, and shows no secret', async (_, options: Partial<S3StoreOptions>, told) => {
    const { accessKeyId } = s3().allowed;
    const credentials = options.credentials && {
      ...options.credentials,
      accessKeyId: options.credentials.accessKeyId || accessKeyId,
    };
    const store = s3Store(at({ ...options, ...(credentials && { credentials }) }));
    const name = 'ab'.repeat(32);
    for (const ask of [() => store.get(name), () => store.has(name), () => store.put(new Uint8Array(3), 'x/y')]) {
      const error = await ask().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'BLOBS_REFUSED',
        class: 'user',
        message: expect.stringMatching(told) as string,
      });
      expect(JSON.stringify(error)).not.toMatch(/wrong|AKIANOBODY/);
    }
  });

  describe('behind a connection that fails', () => {
    /** What becomes of each request, the last for all that follow; `pass`: it reaches the store. */
    let faults: ('busy' | 'cut' | 'silent' | 'pass')[] = [];
    let requests = 0;
    let proxy: Server;
    beforeAll(async () => {
      proxy = createServer((request, response) => {
        requests += 1;
        const fault = faults.length > 1 ? faults.shift() : faults[0];
        if (fault === 'busy') response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
        else if (fault === 'cut') request.socket.destroy();
        else if (fault === 'pass') {
          const { hostname, port: target } = new URL(s3().endpoint);
          const head = [`${request.method} ${request.url} HTTP/1.1`];
          for (let i = 0; i < request.rawHeaders.length; i += 2) {
            const [key, value] = request.rawHeaders.slice(i, i + 2);
            if (key.toLowerCase() !== 'connection') head.push(`${key}: ${value}`);
          }
          const upstream = connect(Number(target), hostname);
          upstream.write(`${head.join('\r\n')}\r\nConnection: close\r\n\r\n`);
          request.pipe(upstream, { end: false });
          upstream.pipe(request.socket);
        }
      });
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
    });
    afterAll(() => {
      proxy.closeAllConnections();
      proxy.close();
    });
    const behind = (timeoutMs = 5_000) =>
      s3Store(at({ endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, timeoutMs }));

    it('tries again what may pass', async () => {
      faults = ['busy', 'cut', 'pass'];
      const sha256 = await behind().put(Uint8Array.of(1, 2, 3), 'image/jpeg');
      faults = ['cut', 'busy', 'pass'];
      expect((await behind().get(sha256))?.bytes).toEqual(Buffer.of(1, 2, 3));
    });

    it('gives up after four attempts, one that is never answered included', async () => {
      for (const [fault, told] of [
        ['busy', 'it answers 503 SlowDown'],
        ['cut', 'other side closed'],
        ['silent', 'no answer within 200 ms'],
      ] as const) {
        faults = [fault];
        requests = 0;
        await expect(behind(200).get('ab'.repeat(32))).rejects.toMatchObject({
          code: 'BLOBS_UNREACHABLE',
          class: 'external',
          message: `the blob store s3://frames/claims/of (one) camera cannot be reached: ${told}`,
        });
        expect(requests).toBe(4);
      }
    });
  });
});
