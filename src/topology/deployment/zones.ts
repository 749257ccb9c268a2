import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { BlinkstreamError, messageOf, zoneUses, type Zone } from '../../records/index.js';
import { nameField } from './fields.js';
import { YamlText } from './text.js';
import { mistakesIn } from './words.js';

const share = z.number().min(0).max(1);

const zoneSchema = z
  .strictObject({
    name: nameField('name of the area, as sentences have it'),
    use: z
      .enum(zoneUses)
      .default('name')
      .describe(
        'name: sentences say where by it; include: only what is in such areas is told; exclude: nothing in it is told; ' +
          'private: it is black before anything looks at a frame',
      ),
    polygon: z
      .array(z.tuple([share, share]).describe('a corner: shares of the width and of the height, from the upper left'))
      .min(3)
      .max(200)
      .describe('its corners in turn, each [x, y] with shares of width and height from 0 to 1'),
  })
  .describe('An area of the picture.');

/** `zones` of a source. */
export const zonesSchema = z
  .array(zoneSchema)
  .max(100)
  .superRefine((zones, context) => {
    const seen = new Set<string>();
    for (const [i, { name }] of zones.entries()) {
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: [i, 'name'], message: `two areas are named ${name}` });
      seen.add(name);
    }
  })
  .describe('Areas of the picture: named, included, excluded or private.');

/**
 * The zones in a file of their own: a YAML list as `zones` of a source in a deployment file.
 * @throws BlinkstreamError `ZONES_NOT_READABLE`, `ZONES_INVALID` (user), the latter with line and column
 */
export async function loadZones(file: string): Promise<Zone[]> {
  let yaml: string;
  try {
    yaml = await readFile(file, 'utf8');
  } catch (cause) {
    throw new BlinkstreamError(`file of zones ${file} cannot be read: ${messageOf(cause)}`, {
      code: 'ZONES_NOT_READABLE',
      class: 'user',
      stage: 'topology',
      hint: 'check the path and its permissions',
      cause,
    });
  }
  const text = new YamlText(yaml);
  const parsed = text.mistakes.length > 0 ? { mistakes: text.mistakes } : mistakesIn(text, zonesSchema);
  if ('value' in parsed) return parsed.value;
  const told = parsed.mistakes.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
  throw new BlinkstreamError(told.join('\n'), {
    code: 'ZONES_INVALID',
    class: 'user',
    stage: 'topology',
    hint: 'write a list of areas, such as: [{ name: desk, polygon: [[0.1, 0.2], [0.5, 0.2], [0.5, 0.9]] }]',
    exitCode: 2,
  });
}
