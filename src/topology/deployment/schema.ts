import { z } from 'zod';
import { blobsSchema } from './blobs.js';
import { operationSchema } from './operation.js';
import { pathField, textField, wholeNumber } from './fields.js';
import { kafkaOutputSchema, kafkaSchema } from './kafka.js';
import { mqttOutputSchema } from './mqtt.js';
import { clientSecurity, serverSecurity } from './security.js';
import { sourceSchema } from './sources.js';
import { topologySchema } from './topologies.js';
import { webhookOutputSchema } from './webhook.js';

const workers = z
  .strictObject({
    children: wholeNumber(
      'worker processes on this machine; without it one less than there are cores, or none with addresses',
      {
        max: 256,
      },
    ).optional(),
    addresses: z
      .array(textField('HOST:PORT or unix:/PATH'))
      .default([])
      .describe('workers that run already, see blinkstream worker'),
    ...clientSecurity,
    deadlineMs: wholeNumber('longest time for one sequence on one worker', { min: 1 }).default(120_000),
  })
  .prefault({})
  .describe('The processes that reason over sequences, shared by all sources in turn.');

const log = z
  .strictObject({
    folder: pathField('folder of the log, on a local disk; made if it is not there. With kafka: of its index'),
    kafka: z
      .strictObject({
        prefix: textField('its topics are PREFIX.events, PREFIX.contradicted, PREFIX.state and PREFIX.dead-letters'),
        partitions: wholeNumber('of its topics, where they are made', { min: 1, max: 10_000 }).default(8),
        replicationFactor: wholeNumber('brokers that hold each message, where topics are made', {
          min: 1,
          max: 100,
        }).optional(),
        format: z.enum(['json', 'protobuf']).default('json').describe('how events are written'),
        graceMs: wholeNumber('time to hand over for who had a partition before, until it is fenced').default(3_000),
      })
      .optional()
      .describe('Keeps it in Kafka, shared by all instances; each has an index of all of it.'),
  })
  .describe('Where events, pictures and checkpoints are kept.');

const outputs = z
  .strictObject({
    grpc: z
      .strictObject({
        listen: textField('127.0.0.1:PORT (0: any free port), HOST:PORT or unix:PATH'),
        ...serverSecurity,
      })
      .optional()
      .describe('Serves events to subscribers (blinkstream.v1.EventService), with health and reflection.'),
    jsonLines: z
      .strictObject({ file: pathField('the file; its folder is made if it is not there') })
      .optional()
      .describe('Writes each event as a line of JSON.'),
    kafka: kafkaOutputSchema.optional(),
    webhook: webhookOutputSchema.optional(),
    mqtt: mqttOutputSchema.optional(),
  })
  .prefault({})
  .describe('Where events go.');

const limits = z
  .strictObject({
    budgetMiB: wholeNumber('memory for frames in flight, maxSources together', { min: 16 }).default(1_024),
    maxSources: wholeNumber(
      'sources at a time, counted once for each topology that reads them; each has this part of the budget, however many there are',
      { min: 1, max: 10_000 },
    ).default(8),
    maxPixels: wholeNumber('pixels that a picture may have', { min: 1 }).default(100_000_000),
  })
  .prefault({})
  .describe('What the process may use.');

const retention = z
  .strictObject({
    maxAgeDays: z.number().positive().optional().describe('events and pictures of the scene older than this go'),
    maxEvents: wholeNumber('of more events than this the oldest go', { min: 1 }).optional(),
    pruneEveryMs: wholeNumber('how often it is looked for what may go', { min: 1_000 }).default(60_000),
  })
  .prefault({})
  .describe('What the log keeps; everything where nothing is said.');

const shutdown = z
  .strictObject({
    deadlineMs: wholeNumber(
      'time for what is under way when the service is asked to end; what is not done by then, the next start does',
    ).default(20_000),
  })
  .prefault({})
  .describe('How the service ends on SIGTERM.');

/** A deployment file: everything that `blinkstream run` runs by. Units are in the names. */
export const deploymentSchema = z
  .strictObject({
    topologies: z.array(topologySchema).min(1).describe('What is done with the frames.'),
    sources: z.array(sourceSchema).min(1).describe('Where frames come from.'),
    kafka: kafkaSchema.optional(),
    blobs: blobsSchema.optional(),
    workers,
    log,
    outputs,
    limits,
    retention,
    shutdown,
    operation: operationSchema,
  })
  .describe('A deployment of Blinkstream: what blinkstream run runs.');

export type Deployment = z.infer<typeof deploymentSchema>;
