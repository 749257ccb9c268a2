import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { type Check, lacking } from './check.js';

const neededNode = [20, 19] as const;
const neededMemoryBytes = 1e9;
const neededDiskBytes = 500e6;

export const node: Check = {
  name: 'Node.js',
  needed: true,
  remedy: `install Node.js ${neededNode.join('.')} or newer from https://nodejs.org`,
  find() {
    const { node: version } = process.versions;
    const [major, minor] = version.split('.').map(Number);
    const told = `${version} on ${process.platform} ${process.arch}`;
    if (major > neededNode[0] || (major === neededNode[0] && minor >= neededNode[1])) return told;
    throw lacking(`${told} is too old`);
  },
};

export const memory: Check = {
  name: 'cores and memory',
  needed: true,
  remedy: 'run it where it has 1 GB of memory or more',
  find() {
    // A container may hold less than its machine has.
    const limit = process.constrainedMemory();
    const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
    const told = `${availableParallelism()} cores, ${gigabytes(bytes)} of memory`;
    if (bytes < neededMemoryBytes) throw lacking(`${told} is too little`);
    return told;
  },
};

export const disk: Check = {
  name: 'disk space',
  needed: true,
  remedy: 'free at least 0.5 GB for logs and evidence pictures, or write to another disk with --out',
  async find() {
    const folder = process.cwd();
    const { bavail, bsize } = await statfs(folder);
    const told = `${gigabytes(bavail * bsize)} free in ${folder}`;
    if (bavail * bsize < neededDiskBytes) throw lacking(`only ${told}`);
    return told;
  },
};

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
