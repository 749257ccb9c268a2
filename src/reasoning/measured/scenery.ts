import type { SceneEvidence } from '../../evidence/scene.js';
import type { Scenery } from './words.js';

/** The picture of a sequence, and how its places are called. */
export const sceneryOf = ({ sequence }: SceneEvidence): Scenery => {
  const { width, height } = sequence.frames[0].ref;
  return { width, height, ...(sequence.zones && { zones: sequence.zones }) };
};
