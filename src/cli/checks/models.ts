import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { modelFiles } from '../../evidence/model-files.js';
import { openModels } from '../../evidence/models.js';
import { messageOf } from '../../records/index.js';
import { type Check, lacking } from './check.js';

export const models: Check = {
  name: 'models',
  needed: true,
  remedy: 'install again with npm ci',
  async find() {
    const opened = await openModels();
    await opened.close();
    return `${Object.values(modelFiles)
      .map(({ file }) => file)
      .join(', ')}; hashes as pinned`;
  },
};

export const modelRuntime: Check = {
  name: 'onnxruntime',
  needed: true,
  remedy: 'install again with npm ci on a platform that onnxruntime-node supports',
  async find() {
    const { env, listSupportedBackends } = await import('onnxruntime-node');
    const backends = listSupportedBackends();
    const names = (bundled: boolean) => backends.filter((one) => one.bundled === bundled).map(({ name }) => name);
    if (!names(true).includes('cpu')) throw lacking('onnxruntime has no CPU provider here');
    const others = names(false);
    return [
      `${env.versions.node ?? 'unknown version'}, providers ${names(true).join(', ')}`,
      ...(others.length > 0 ? [`not installed ${others.join(', ')}`] : []),
    ].join('; ');
  },
};

export const gpu: Check = {
  name: 'GPU',
  needed: false,
  remedy: 'of use only to large models beside the embedded ones: install the NVIDIA driver',
  async find() {
    try {
      const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
      const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 10_000 });
      return stdout.trim().split('\n').join('; ');
    } catch (error) {
      const isThere = (error as NodeJS.ErrnoException).code !== 'ENOENT';
      throw lacking(isThere ? `nvidia-smi fails: ${messageOf(error).trim()}` : 'no nvidia-smi on PATH', error);
    }
  },
};
