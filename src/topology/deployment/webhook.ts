import { z } from 'zod';
import type { WebhookOutputOptions } from '../../outputs/webhook/webhook.js';
import { changeKinds, phases } from '../../records/index.js';
import { textField, wholeNumber } from './fields.js';

const filter = z
  .strictObject({
    sources: z.array(textField('name of a source')).default([]).describe('events of these sources alone'),
    topologies: z.array(textField('name of a topology')).default([]).describe('events of these topologies alone'),
    kinds: z.array(z.enum(changeKinds)).default([]).describe('events of these kinds alone'),
    phases: z.array(z.enum(phases)).default([]).describe('of each change these steps alone'),
  })
  .describe('Which events are sent; a list that is empty or left out lets everything through.');

/** `outputs.webhook`. */
export const webhookOutputSchema = z
  .strictObject({
    url: textField(
      'http(s)://HOST/PATH; user and password in it are sent as basic authentication, and nothing but scheme and host is shown anywhere',
    ),
    headers: z
      .record(z.string(), z.string())
      .default({})
      .describe('sent with each event, such as authorization; a credential as ${file:PATH} or ${env:NAME}'),
    secret: textField(
      'signs each event by Standard Webhooks: base64 of 24 to 64 bytes, with or without whsec_ before it; ${file:PATH} or ${env:NAME}, as it must not stand here itself',
    ).optional(),
    timeoutMs: wholeNumber('longest wait for an answer', { min: 1, max: 600_000 }).default(15_000),
    filter: filter.optional(),
    allowPlaintext: z
      .boolean()
      .default(false)
      .describe('lets events and credentials travel in plain text to other machines: in a trusted network only'),
  })
  .describe('Posts each event to a URL, at least once, as a CloudEvent, one after the other.');

export type WebhookOutputEntry = z.infer<typeof webhookOutputSchema>;

/** As the output takes it. */
export const webhookOptionsOf = ({
  secret,
  filter: wanted,
  ...section
}: WebhookOutputEntry): Omit<WebhookOutputOptions, 'log' | 'cursorFile' | 'signal'> => ({
  ...section,
  ...(secret !== undefined && { secret }),
  ...(wanted && { filter: wanted }),
});
