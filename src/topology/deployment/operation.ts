import { z } from 'zod';
import { textField } from './fields.js';

/** How a service is looked after. */
export const operationSchema = z
  .strictObject({
    listen: textField(
      '127.0.0.1:PORT (0: any free port) or [::1]:PORT, to serve /metrics, /healthz and /readyz on over HTTP; none without it',
    ).optional(),
    openToOtherHosts: z
      .boolean()
      .default(false)
      .describe(
        'lets listen be an address that other hosts reach, such as 0.0.0.0:9464, without password or TLS: whoever reaches it ' +
          'reads numbers, error codes, the version of Node.js and the names of topologies and sources; no pictures, events or secrets',
      ),
    log: z
      .enum(['text', 'json'])
      .default('text')
      .describe('what goes to standard error: lines for people, or one JSON object a line'),
  })
  .prefault({})
  .describe('How the service is watched: metrics, health, logs.');
