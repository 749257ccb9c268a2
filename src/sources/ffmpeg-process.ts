import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BlinkstreamError, messageOf } from '../records/index.js';
import type { FfmpegLog } from './ffmpeg-log.js';

/** Between the polite and the last signal. */
const KILL_AFTER_MS = 2_000;

/** Only what a media tool needs: `FFREPORT` and the like would make it write files, proxies reach elsewhere. */
const PASSED_ON = ['PATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'SYSTEMROOT'];

export const toolEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));

export const notStarted = (file: string, cause: unknown): BlinkstreamError =>
  new BlinkstreamError(`${file} could not be started: ${messageOf(cause)}`, {
    code: 'FFMPEG_NOT_STARTED',
    class: 'external',
    stage: 'source',
    hint: 'check FFMPEG_PATH and FFPROBE_PATH, and how many processes and files may be open',
    cause,
  });

/** Where the bytes of standard output go; read into place, never queued. */
export interface ByteSink {
  /** Where the next bytes belong; asked again after each `received`, also after the one that paused. */
  target(): Uint8Array;
  /** @returns false to pause: nothing is read until `resume`, and ffmpeg comes to wait in its write */
  received(bytes: number): boolean;
}

/**
 * A supervised ffmpeg that writes to a socket of ours. It cannot outlive us: when we are gone, also by kill -9, its
 * next write fails, the one it waits in as well; while it waits for the network instead, `-rw_timeout` bounds the wait.
 *
 * The socket is a pair made by hand because only a socket of our own making takes `onread`: Node's child pipes copy
 * every 64 KB into a new buffer, which costs about a third of the decoding of a small picture.
 */
export class FfmpegProcess {
  /** Resolves when standard output has ended, whatever the reason. */
  readonly ended: Promise<void>;
  readonly #exited: Promise<void>;

  private constructor(
    readonly child: ChildProcess,
    readonly socket: net.Socket,
    log: FfmpegLog,
  ) {
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()));
    // A socket error is an end like any other: what is missing is told from what has arrived.
    socket.on('error', () => socket.destroy());
    this.#exited = new Promise((resolve) => {
      child.once('close', () => {
        log.end();
        resolve();
      });
    });
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => log.write(piece));
  }

  /**
   * @param stdin what it is given to read, whole
   * @throws BlinkstreamError `FFMPEG_NOT_STARTED`
   */
  static async start(
    file: string,
    args: readonly string[],
    sink: ByteSink,
    log: FfmpegLog,
    stdin?: string,
  ): Promise<FfmpegProcess> {
    const { ours, theirs } = await socketPair(sink);
    const input = stdin === undefined ? 'ignore' : 'pipe';
    const child = spawn(file, args, { stdio: [input, theirs, 'pipe'], env: toolEnvironment(), windowsHide: true });
    // One that ends without reading it says why in its log.
    child.stdin?.on('error', () => undefined).end(stdin);
    const ffmpeg = new FfmpegProcess(child, ours, log);
    // The child has its own copy; with ours open its end would never be seen.
    theirs.destroy();
    try {
      await once(child, 'spawn');
    } catch (error) {
      ours.destroy();
      throw notStarted(file, error);
    }
    return ffmpeg;
  }

  resume(): void {
    this.socket.resume();
  }

  /** Ends it, first politely, and waits until it is gone. Harmless on one that has ended. */
  async stop(): Promise<void> {
    this.socket.destroy();
    this.child.kill('SIGTERM');
    const last = setTimeout(() => this.child.kill('SIGKILL'), KILL_AFTER_MS);
    await this.#exited;
    clearTimeout(last);
  }

  /** Waits until it has ended of itself, after its output did; ends it if it does not. */
  async exit(): Promise<void> {
    const last = setTimeout(() => this.child.kill('SIGKILL'), KILL_AFTER_MS);
    await this.#exited;
    clearTimeout(last);
  }
}

/** Two ends of one local socket: `ours` reads into the sink, `theirs` is given to a child. */
async function socketPair(sink: ByteSink): Promise<{ ours: net.Socket; theirs: net.Socket }> {
  // A folder of our own, so that nobody else can connect.
  const folder = await mkdtemp(path.join(tmpdir(), 'blinkstream-'));
  const server = net.createServer({ pauseOnConnect: true });
  try {
    const address = path.join(folder, 'frames');
    server.listen(address);
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const ours = net.connect({
      path: address,
      onread: { buffer: () => sink.target(), callback: (bytes) => sink.received(bytes) },
    });
    const [[theirs]] = await Promise.all([accepted, once(ours, 'connect')]);
    return { ours, theirs };
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
