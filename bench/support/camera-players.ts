/**
 * `node camera-players.js QUIET.ts ACTIVE.ts CAMERAS`: that many cameras at `http://127.0.0.1:PORT/N`, MPEG-TS without end in
 * real time, not encoded anew. At any time two of them play the active clip, and each in its turn. Prints the port.
 */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const PACKET_BYTES = 188;
/** What ffmpeg gives a file's only stream. */
const VIDEO_PID = 256;
const FRAME_MS = 40;
const ACTIVE = 2;

/** A stream's frames as they are sent; tables go with the frame that follows them. */
function framesOf(path: string): Buffer[] {
  const bytes = readFileSync(path);
  const starts: number[] = [];
  for (let at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    const isStart = (bytes[at + 1] & 0x40) !== 0;
    if (pid === VIDEO_PID && isStart) starts.push(at);
  }
  return starts.map((_, i) => bytes.subarray(i === 0 ? 0 : starts[i], starts[i + 1] ?? bytes.length));
}

interface Viewer {
  readonly camera: number;
  readonly response: ServerResponse;
  readonly sinceMs: number;
  sent: number;
}

const [quiet, active] = [framesOf(process.argv[2]), framesOf(process.argv[3])];
const cameras = Number(process.argv[4]);
const viewers = new Set<Viewer>();

const server = createServer((request, response) => {
  const viewer = { camera: Number(request.url?.slice(1)), response, sinceMs: performance.now(), sent: 0 };
  response.writeHead(200, { 'content-type': 'video/mp2t' });
  viewers.add(viewer);
  response.on('close', () => viewers.delete(viewer)).on('error', () => viewers.delete(viewer));
});

setInterval(() => {
  for (const viewer of viewers) {
    const due = Math.floor((performance.now() - viewer.sinceMs) / FRAME_MS);
    for (; viewer.sent <= due; viewer.sent++) {
      const loop = Math.floor(viewer.sent / quiet.length);
      const turn = (viewer.camera - loop * ACTIVE) % cameras;
      const clip = (turn + cameras) % cameras < ACTIVE ? active : quiet;
      viewer.response.write(clip[viewer.sent % quiet.length]);
    }
  }
}, FRAME_MS / 2);

server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
