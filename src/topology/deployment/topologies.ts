import { z } from 'zod';
import type { GateOptions } from '../../sequences/gate/options.js';
import type { ActivityOptions } from '../../sequences/windows/activity.js';
import { catalogue } from '../catalogue.js';
import type { WindowOptions } from '../operators/window.js';
import { nameField, pathField, wholeNumber } from './fields.js';

/** The options of an operator, as the catalogue describes them: figures, none of them needed. */
function optionsOf<Options>(operator: string): z.ZodType<Partial<Options>> {
  const described = catalogue.find(({ name }) => name === operator);
  if (described === undefined) throw new Error(`no ${operator} in the catalogue`);
  return z
    .strictObject(
      Object.fromEntries(
        described.options.map(({ name, summary, unit, default: standard }) => {
          const words = `${summary}, ${unit}; default ${standard}`;
          const figure = unit === 'deviations' ? z.number().positive().describe(words) : wholeNumber(words, { min: 1 });
          return [name, figure.optional()];
        }),
      ),
    )
    .describe(described.summary) as unknown as z.ZodType<Partial<Options>>;
}

const name = nameField('name of the topology in events, where two of one kind run').optional();
const sources = z
  .array(z.string().describe('name of a source'))
  .min(1)
  .optional()
  .describe('the sources that it reads; without it, all');

const watch = z
  .strictObject({
    kind: z.literal('watch').describe('what appeared, went, moved or changed in a scene, and what passed through'),
    name,
    sources,
    options: z
      .strictObject({
        reasoner: z.enum(['measured']).default('measured').describe('who describes what was found'),
        allowedLatenessMs: wholeNumber('how far out of order frames may come').default(0),
        gate: optionsOf<GateOptions>('gate(options)').optional(),
        window: optionsOf<ActivityOptions & WindowOptions>('window(activity(options))').optional(),
      })
      .prefault({})
      .describe('What it goes by.'),
  })
  .describe('Watches a scene.');

const module = z
  .strictObject({
    kind: z.literal('module').describe('a topology of your own'),
    name,
    sources,
    file: pathField('ECMAScript module whose default export is a topology, as topology() makes it'),
    options: z
      .record(z.string(), z.json())
      .prefault({})
      .describe("What the topology's build function is given beside the source."),
  })
  .describe('Runs a topology out of a file.');

/** What is done with the frames, one entry a topology. */
export const topologySchema = z.discriminatedUnion('kind', [watch, module]);

export type TopologyEntry = z.infer<typeof topologySchema>;
