import { type Check } from './check.js';
import { broker } from './kafka.js';
import { disk, memory, node } from './machine.js';
import { ffmpeg, ffprobe, pictures } from './media.js';
import { gpu, modelRuntime, models } from './models.js';
import { browser, store } from './services.js';

/** Everything that `doctor` looks at, in the order of the table. */
export const checks: readonly Check[] = [
  node,
  memory,
  disk,
  ffmpeg,
  ffprobe,
  pictures,
  modelRuntime,
  models,
  store,
  gpu,
  broker,
  browser,
];
