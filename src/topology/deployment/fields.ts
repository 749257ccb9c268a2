import { z } from 'zod';

/** Names are parts of ids, checkpoint keys and metric labels. */
export const nameField = (what: string) =>
  z
    .string()
    .regex(/^\w[\w.:-]*$/, 'a name is made of letters, digits and _ . : -, and begins with a letter or digit')
    .describe(`${what}: letters, digits and _ . : -`);

export const textField = (description: string) => z.string().min(1, 'it is empty').describe(description);

/** A path, taken from the folder of the deployment file where it is not absolute. */
export const pathField = (description: string) =>
  textField(`${description}; taken from the folder of this file where it is not absolute`);

export const wholeNumber = (description: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) =>
  z.int().min(min).max(max).describe(description);
