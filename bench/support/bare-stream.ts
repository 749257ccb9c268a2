import { once } from 'node:events';
import { Client, credentials, Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';

const path = '/bench.Bare/Stream';
const same = (bytes: Buffer): Buffer => bytes;
const method = {
  path,
  requestStream: false,
  responseStream: true,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

/** A stream of `messages` with nothing around it but grpc-js: no log, no decoding, only the wait for `drain`. */
export async function startBareStream(messages: readonly Buffer[]): Promise<{ address: string; close(): void }> {
  const server = new Server();
  const stream = async (call: ServerWritableStream<Buffer, Buffer>): Promise<void> => {
    for (const message of messages) if (!call.write(message)) await once(call, 'drain');
    call.end();
  };
  server.addService(
    { stream: method },
    {
      stream: (call: ServerWritableStream<Buffer, Buffer>) =>
        void stream(call).catch((e: unknown) => call.emit('error', e)),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

/** Reads the whole stream; the messages that came. */
export async function readBareStream(address: string): Promise<number> {
  const client = new Client(address, credentials.createInsecure());
  let count = 0;
  for await (const message of client.makeServerStreamRequest(path, same, same, Buffer.alloc(0))) {
    if (Buffer.isBuffer(message)) count += 1;
  }
  client.close();
  return count;
}
