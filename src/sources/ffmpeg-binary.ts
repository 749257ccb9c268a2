import { execFile } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { BlinkstreamError, messageOf } from '../records/index.js';

type Tool = 'ffmpeg' | 'ffprobe';

export interface Binary {
  readonly path: string;
  readonly from: 'environment' | 'system' | 'npm';
}

export interface Ffmpeg extends Binary {
  /** As the binary names it: `5.1.9`, `N-47683-g0e8eb07980`. */
  readonly version: string;
  /** `-fps_mode` came with 5.1; before that it was `-vsync`, which newer ones no longer know. */
  readonly hasFpsMode: boolean;
}

/**
 * The binary to use: `FFMPEG_PATH` or `FFPROBE_PATH`, else the first on PATH, else the one that npm installed.
 * @throws BlinkstreamError `FFMPEG_NOT_FOUND`
 */
export function findBinary(tool: Tool, env: NodeJS.ProcessEnv = process.env): Binary {
  const variable = `${tool.toUpperCase()}_PATH`;
  const told = env[variable];
  if (told !== undefined && told !== '') {
    if (isExecutable(told)) return { path: path.resolve(told), from: 'environment' };
    throw notFound(`${variable} names ${told}, which is not an executable file`);
  }
  for (const folder of (env.PATH ?? '').split(path.delimiter).filter(Boolean)) {
    const candidate = path.join(folder, process.platform === 'win32' ? `${tool}.exe` : tool);
    if (isExecutable(candidate)) return { path: candidate, from: 'system' };
  }
  return { path: fromNpm(tool), from: 'npm' };
}

/** `ffmpeg` with what it can do, asked once a path. @throws BlinkstreamError `FFMPEG_NOT_FOUND` */
export async function findFfmpeg(env: NodeJS.ProcessEnv = process.env): Promise<Ffmpeg> {
  const binary = findBinary('ffmpeg', env);
  let asked = askedVersions.get(binary.path);
  if (asked === undefined) {
    asked = askVersion(binary.path);
    askedVersions.set(binary.path, asked);
    // One failure must not stand for ever: the file may be put right while a service runs.
    asked.catch(() => askedVersions.delete(binary.path));
  }
  return { ...binary, ...(await asked) };
}

type Version = Pick<Ffmpeg, 'version' | 'hasFpsMode'>;
const askedVersions = new Map<string, Promise<Version>>();

async function askVersion(file: string): Promise<Version> {
  const { stdout } = await promisify(execFile)(file, ['-hide_banner', '-version'], { timeout: 20_000 }).catch(
    (error: unknown) => {
      throw notFound(`${file} does not run: ${messageOf(error).split('\n')[0]}`);
    },
  );
  // The library's version tells builds from git apart as well, whose own version is only a count.
  const codec = /libavcodec\s+(\d+)\.\s*(\d+)/.exec(stdout);
  const [major, minor] = [Number(codec?.[1]), Number(codec?.[2])];
  return {
    version: /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? 'unknown',
    hasFpsMode: major > 59 || (major === 59 && minor >= 37),
  };
}

function fromNpm(tool: Tool): string {
  const require = createRequire(import.meta.url);
  let file: string;
  try {
    // Not through the installers' own entry: it throws where the x bit is missing, which can be put right.
    const installer =
      tool === 'ffmpeg' ? require.resolve('@ffmpeg-installer/ffmpeg') : require.resolve('@ffprobe-installer/ffprobe');
    const platform = `@${tool}-installer/${process.platform}-${process.arch}/package.json`;
    const folder = path.dirname(createRequire(installer).resolve(platform));
    file = path.join(folder, process.platform === 'win32' ? `${tool}.exe` : tool);
  } catch (error) {
    throw notFound(`${tool} is neither on PATH nor installed by npm`, error);
  }
  if (!isExecutable(file)) {
    try {
      chmodSync(file, 0o755);
    } catch (error) {
      throw notFound(`${file} may not be run: chmod a+x it`, error);
    }
  }
  return file;
}

function isExecutable(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const notFound = (message: string, cause?: unknown): BlinkstreamError =>
  new BlinkstreamError(message, {
    code: 'FFMPEG_NOT_FOUND',
    class: 'user',
    stage: 'source',
    hint: 'install ffmpeg (apt-get install ffmpeg, brew install ffmpeg), or set FFMPEG_PATH and FFPROBE_PATH',
    exitCode: 4,
    cause,
  });
