import { z } from 'zod';
import { deploymentSchema } from './schema.js';

/** The JSON Schema of a deployment file, for editors: `deploy/deployment.schema.json` is this, written out. */
export const deploymentJsonSchema = (): object => ({
  ...z.toJSONSchema(deploymentSchema, { io: 'input', target: 'draft-7' }),
  title: 'Blinkstream deployment',
});
