import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { JpegPacketizer } from './jpeg-rtp.js';

/** What a camera shows next; undefined: it sends nothing. */
export type Shutter = () => Uint8Array | undefined;

export interface RtspCamera {
  /** `127.0.0.1:PORT/…` of the only stream. */
  readonly at: string;
  /** What is sent from now on, a picture at a time. */
  show(shutter: Shutter): void;
  /** Breaks every connection. */
  cut(): void;
  /** Whether anybody is let in from now on. */
  refuse(refused: boolean): void;
  /** Connections that are open. */
  readonly connections: number;
  /** Sessions that were played so far. */
  readonly played: number;
  /** Requests as they came, first lines only. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export interface RtspCameraOptions {
  readonly show: Shutter;
  readonly fps?: number;
  /** Digest authentication, if any. */
  readonly user?: string;
  readonly password?: string;
}

const REALM = 'camera';
const NONCE = '6f1ed0c2b7';
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** A camera that speaks RTSP (RFC 2326) over TCP and sends JPEG, interleaved; it can stall, break and show any size. */
export async function rtspCamera(options: RtspCameraOptions): Promise<RtspCamera> {
  const { fps = 20, user, password } = options;
  let { show } = options;
  let refused = false;
  let played = 0;
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const playing = new Map<Socket, JpegPacketizer>();

  const isLetIn = (method: string, headers: ReadonlyMap<string, string>): boolean => {
    if (user === undefined) return true;
    const given = headers.get('authorization') ?? '';
    const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(given)?.[1];
    const expected = md5(`${md5(`${user}:${REALM}:${password}`)}:${NONCE}:${md5(`${method}:${field('uri')}`)}`);
    return field('username') === user && field('response') === expected;
  };
  const answer = (socket: Socket, request: string): void => {
    const [first, ...lines] = request.split('\r\n');
    requests.push(first);
    const [method, url] = first.split(' ');
    const headers = new Map(lines.map((line) => [line.split(':')[0].toLowerCase(), line.replace(/^[^:]*: */, '')]));
    const reply = (status: string, more: readonly string[] = [], body = ''): void => {
      const head = [`RTSP/1.0 ${status}`, `CSeq: ${headers.get('cseq')}`, ...more, `Content-Length: ${body.length}`];
      socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    };
    if (method === 'OPTIONS') return reply('200 OK', ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN']);
    if (!isLetIn(method, headers)) {
      return reply('401 Unauthorized', [`WWW-Authenticate: Digest realm="${REALM}", nonce="${NONCE}"`]);
    }
    if (method === 'DESCRIBE') {
      const sdp = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=camera', 't=0 0', 'm=video 0 RTP/AVP 26', 'a=control:track'];
      return reply('200 OK', ['Content-Type: application/sdp', `Content-Base: ${url}/`], `${sdp.join('\r\n')}\r\n`);
    }
    if (method === 'SETUP') {
      const transport = headers.get('transport') ?? '';
      if (!transport.includes('interleaved')) return reply('461 Unsupported Transport');
      return reply('200 OK', [`Transport: ${transport}`, 'Session: 1']);
    }
    reply('200 OK', ['Session: 1']);
    if (method === 'PLAY') {
      played += 1;
      playing.set(socket, new JpegPacketizer());
    }
    if (method === 'TEARDOWN') socket.end();
  };

  let sent = 0;
  const sending = setInterval(() => {
    const jpeg = show();
    sent += 1;
    if (jpeg === undefined) return;
    for (const [socket, packetizer] of playing) {
      for (const packet of packetizer.packets(jpeg, Math.round((sent * 90_000) / fps))) {
        const frame = Buffer.from([0x24, 0, 0, 0]);
        frame.writeUInt16BE(packet.byteLength, 2);
        socket.write(frame);
        socket.write(packet);
      }
    }
  }, 1_000 / fps);

  const server = createServer((socket) => {
    if (refused) return void socket.destroy();
    sockets.add(socket);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      // What a player reports of what it received is not read.
      for (;;) {
        while (text.startsWith('$') && text.length >= 4 && text.length >= 4 + size(text))
          text = text.slice(4 + size(text));
        const end = text.indexOf('\r\n\r\n');
        if (text.startsWith('$') || end < 0) return;
        answer(socket, text.slice(0, end));
        text = text.slice(end + 4);
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      playing.delete(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    at: `127.0.0.1:${(server.address() as AddressInfo).port}/main`,
    show: (shutter) => (show = shutter),
    cut,
    refuse: (now) => (refused = now),
    get connections() {
      return sockets.size;
    },
    get played() {
      return played;
    },
    requests,
    async close() {
      clearInterval(sending);
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

const size = (text: string): number => text.charCodeAt(2) * 256 + text.charCodeAt(3);
