import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ChangeLog } from '../../log/index.js';
import { openLmdbLog } from '../../log/lmdb.js';
import { BlinkstreamError } from '../../records/index.js';
import type { LoadedDeployment } from '../../topology/deployment/parse.js';
import { usageError } from '../failure.js';
import { makeOutputFolder, outputFolder } from '../output-folder.js';
import type { DeploymentKafka } from './kafka.js';
import { logInKafka } from './kafka.js';
import type { RecordPlace } from './replay-record.js';

/** Where a replay writes to, and where what was told before is. */
export interface Results {
  readonly log: ChangeLog;
  /** What the deployment has told; undefined where it has no log yet. */
  readonly before: ChangeLog | undefined;
  readonly record: RecordPlace;
  /** In words, for messages. */
  readonly place: string;
  /** `isDone`: nothing of what only helped is needed any more. */
  close(isDone: boolean): Promise<void>;
}

/**
 * Into `out`, or else into the log of the deployment. That one has a writer already where it is a folder; a log in Kafka
 * takes any number of them.
 * @throws BlinkstreamError (usage) where neither can be; what opening a log throws
 */
export async function openResults(
  loaded: LoadedDeployment,
  { out, run }: { readonly out: string | undefined; readonly run: string },
  kafka: DeploymentKafka,
): Promise<Results> {
  return out === undefined ? inLog(loaded, run, kafka) : inFolder(loaded, out, kafka);
}

async function inLog(loaded: LoadedDeployment, run: string, kafka: DeploymentKafka): Promise<Results> {
  const { deployment, folder, file } = loaded;
  // The service has the index of its own under lock.
  const index = `${resolve(folder, deployment.log.folder)}.replay-${run.replaceAll(':', '%3A')}`;
  const opening = logInKafka({ ...loaded, deployment: logAt(deployment, index) }, kafka, {});
  if (opening === undefined) {
    throw usageError(
      `the log of ${file} is a folder, which the service alone writes into`,
      'give --out DIR for the results of the replay',
    );
  }
  const log = await opening;
  return {
    log,
    before: log,
    record: { log, key: `replay@${run}` },
    place: 'the log',
    close: async (isDone) => {
      await log.close();
      if (isDone) await rm(index, { recursive: true, force: true });
    },
  };
}

async function inFolder(loaded: LoadedDeployment, out: string, kafka: DeploymentKafka): Promise<Results> {
  const { logFolder, recordFile } = outputFolder(out);
  if (resolve(logFolder) === resolve(loaded.folder, loaded.deployment.log.folder)) {
    throw usageError(`${out} is where the deployment has its log`, 'name another folder with --out');
  }
  if (existsSync(recordFile)) {
    throw usageError(`${out} holds the results of blinkstream watch`, 'name another folder with --out');
  }
  await makeOutputFolder(out);
  const log = await openLmdbLog({ path: logFolder });
  const index = join(out, 'before');
  try {
    const before = await openBefore(loaded, index, kafka);
    return {
      log,
      before,
      record: { log, key: 'replay' },
      place: out,
      close: async (isDone) => {
        await before?.close();
        await log.close();
        if (isDone) await rm(index, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** To read alone, beside the service that may write it. */
async function openBefore(
  loaded: LoadedDeployment,
  index: string,
  kafka: DeploymentKafka,
): Promise<ChangeLog | undefined> {
  const { deployment, folder } = loaded;
  const inKafka = logInKafka({ ...loaded, deployment: logAt(deployment, index) }, kafka, {});
  if (inKafka !== undefined) return inKafka;
  try {
    return await openLmdbLog({ path: resolve(folder, deployment.log.folder), readOnly: true });
  } catch (error) {
    if (error instanceof BlinkstreamError && error.code === 'LOG_NOT_FOUND') return undefined;
    throw error;
  }
}

const logAt = (deployment: LoadedDeployment['deployment'], folder: string): LoadedDeployment['deployment'] => ({
  ...deployment,
  log: { ...deployment.log, folder },
});

/** `20260131T083000-1f9c`: sorts by time. */
export const newRunId = (nowMs: number): string =>
  `${new Date(nowMs).toISOString().replace(/[-:]|\..*/g, '')}-${randomBytes(2).toString('hex')}`;
