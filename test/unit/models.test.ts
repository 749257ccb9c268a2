import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { modelFiles, projectModelsDir } from '../../src/evidence/model-files.js';
import { openModels } from '../../src/evidence/models.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'blinkstream-models-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('refuses a missing file by name', async () => {
  await expect(openModels({ dir })).rejects.toMatchObject({ code: 'MODEL_MISSING', class: 'user', exitCode: 3 });
  await expect(openModels({ dir })).rejects.toThrow(join(dir, 'nanodet.onnx'));
});

test('refuses other bytes, naming file, found and expected digest', async () => {
  await copyFile(join(projectModelsDir(), 'nanodet.onnx'), join(dir, 'nanodet.onnx'));
  await writeFile(join(dir, 'mnv2.onnx'), 'abc');
  const refusal = openModels({ dir });
  await expect(refusal).rejects.toMatchObject({ code: 'MODEL_HASH_MISMATCH', exitCode: 3 });
  await expect(refusal).rejects.toThrow('mnv2.onnx');
  await expect(refusal).rejects.toThrow('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  await expect(refusal).rejects.toThrow(modelFiles.embedding.sha256);
});

test('refuses what is there but cannot be read', async () => {
  await mkdir(join(dir, 'nanodet.onnx'));
  await expect(openModels({ dir })).rejects.toMatchObject({ code: 'MODEL_UNREADABLE', exitCode: 3 });
});

test('refuses a GPU that cannot be used when it starts, instead of running on the CPU unnoticed', async () => {
  // What npm brings has no library for it, whatever the machine has.
  await expect(openModels({ device: 'cuda' })).rejects.toMatchObject({
    code: 'DEVICE_MISSING',
    class: 'user',
    message: expect.stringMatching(/^models cannot run on cuda: [^\n]+$/) as string,
  });
});
