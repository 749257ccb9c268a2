import { embed } from '../evidence/embedding.js';
import { modelFiles } from '../evidence/model-files.js';
import { type Models, openModels } from '../evidence/models.js';
import { detectObjects } from '../evidence/objects.js';
import { readText } from '../evidence/text.js';
import { pictureOf } from '../pixels/content.js';
import { reasoners, reasonWith } from '../reasoning/sequence.js';
import type { CreateEngine, MeasurePicture } from './index.js';

/**
 * The engine of every worker but those of tests. Checks the models' hashes at once and loads each when first used.
 * @throws BlinkstreamError as `openModels`
 */
export const createEngine: CreateEngine = async ({ modelsDir, device }) => {
  const models = await openModels({ ...(modelsDir !== undefined && { dir: modelsDir }), ...(device && { device }) });
  return {
    reason: reasonWith(models),
    measure: measureWith(models),
    reasoners: Object.keys(reasoners),
    models: Object.entries(modelFiles).map(([name, { sha256 }]) => ({ name, sha256 })),
  };
};

const measureWith =
  (models: Models): MeasurePicture =>
  async (content, { measurements, signal }) => {
    const picture = await pictureOf(content);
    const wanted = new Set(measurements);
    signal.throwIfAborted();
    const objects = wanted.has('objects') ? await detectObjects(models, picture) : undefined;
    signal.throwIfAborted();
    const lines = wanted.has('text') ? await readText(models, picture) : undefined;
    signal.throwIfAborted();
    const embedding = wanted.has('embedding') ? [...(await embed(models, picture))] : undefined;
    return { ...(objects && { objects }), ...(lines && { lines }), ...(embedding && { embedding }) };
  };
