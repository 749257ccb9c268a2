import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

const tooLarge = 0x95;

/** As much of a broker of MQTT 5 as lets a client in and answers each message with a reason code. */
export async function mqtt5Broker(reasonFor: (topic: string) => number) {
  const topics: string[] = [];
  const server = createServer((socket) => {
    let rest = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      for (;;) {
        const packet = packetIn(rest);
        if (packet === undefined) return;
        rest = rest.subarray(packet.bytes);
        const kind = packet.first >> 4;
        // CONNECT: let in, by CONNACK. PUBLISH: PUBACK with its id and a reason.
        if (kind === 1) socket.write(Buffer.from([0x20, 3, 0, 0, 0]));
        if (kind !== 3) continue;
        const topicBytes = packet.body.readUInt16BE(0);
        const topic = packet.body.subarray(2, 2 + topicBytes).toString();
        topics.push(topic);
        const id = packet.body.subarray(2 + topicBytes, 4 + topicBytes);
        const reason = reasonFor(topic);
        // Some reasons are none of a PUBACK: the connection ends by them.
        if (reason === tooLarge) socket.end(Buffer.from([0xe0, 2, reason, 0]));
        else socket.write(Buffer.concat([Buffer.from([0x40, 4]), id, Buffer.from([reason, 0])]));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `mqtt://127.0.0.1:${port}`, topics, close: () => server.close() };
}

/** The packet that begins the bytes; undefined while it is not whole. */
function packetIn(bytes: Buffer): { first: number; body: Buffer; bytes: number } | undefined {
  let length = 0;
  for (let i = 1; i < bytes.length; i++) {
    length += (bytes[i] & 0x7f) * 128 ** (i - 1);
    if (bytes[i] >= 0x80) continue;
    const end = i + 1 + length;
    return end > bytes.length ? undefined : { first: bytes[0], body: bytes.subarray(i + 1, end), bytes: end };
  }
  return undefined;
}
