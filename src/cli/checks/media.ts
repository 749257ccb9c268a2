import { findBinary, findFfmpeg } from '../../sources/ffmpeg-binary.js';
import { type Check, lacking } from './check.js';

const origins = { environment: 'told by FFMPEG_PATH', system: 'from PATH', npm: 'from npm' } as const;

export const ffmpeg: Check = {
  name: 'ffmpeg',
  needed: true,
  remedy: 'install ffmpeg, or set FFMPEG_PATH',
  async find(env) {
    const { path, from, version } = await findFfmpeg(env);
    return `${version}, ${path} (${origins[from]})`;
  },
};

export const ffprobe: Check = {
  name: 'ffprobe',
  needed: true,
  remedy: 'install ffmpeg, or set FFPROBE_PATH',
  find(env) {
    const { path, from } = findBinary('ffprobe', env);
    return `${path} (${origins[from].replace('FFMPEG', 'FFPROBE')})`;
  },
};

const neededFormats = ['jpeg', 'png', 'tiff', 'webp'] as const;

export const pictures: Check = {
  name: 'picture formats',
  needed: true,
  remedy: 'install again with npm ci on a platform that sharp supports',
  async find() {
    // Loaded here: a native library that does not load is what this check is for.
    const { default: sharp } = await import('sharp');
    const missing = neededFormats.filter((name) => !sharp.format[name].input.buffer);
    const told = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
    if (missing.length > 0) throw lacking(`${told} reads no ${missing.join(', ')}`);
    return `${neededFormats.join(', ')} (${told})`;
  },
};
