import { BlinkstreamError } from '../../records/index.js';
import { DeploymentInvalid, loadDeployment, type LoadedDeployment } from '../../topology/deployment/parse.js';
import type { Mistake, ValuePath } from '../../topology/deployment/text.js';
import type { CommandIo } from '../command.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { claimCheckStore } from './blobs.js';
import { kafkaOf, mustBeThere } from './kafka.js';
import { open, partsOf } from './parts.js';
import { hubOf } from './pushing.js';
import { securityProblems, withSecretsHidden } from './secrets.js';

/** Tells all mistakes of a deployment file, and what it names that cannot be had. */
export async function checkDeployment(file: string, io: CommandIo): Promise<ExitCode> {
  let loaded: LoadedDeployment;
  try {
    loaded = await loadDeployment(file, io.env);
  } catch (error) {
    if (!(error instanceof DeploymentInvalid)) throw error;
    for (const mistake of error.mistakes) tellMistake(io, file, mistake);
    return exitCodes.usage;
  }
  return withSecretsHidden(loaded.secrets, io, (hiding) => checkLoaded(loaded, hiding));
}

/** Where a source says what it reads. */
const inputFields = { video: 'input', images: 'input', camera: 'url', push: 'name', kafka: 'topic' } as const;

async function checkLoaded(loaded: LoadedDeployment, io: CommandIo): Promise<ExitCode> {
  const { file, secrets } = loaded;
  const parts = await partsOf(loaded);
  const kafka = await kafkaOf(loaded, () => undefined);
  const hub = hubOf(loaded, () => undefined);
  let problems = 0;
  const tell = (path: ValuePath, error: BlinkstreamError): void => {
    problems += 1;
    tellMistake(io, file, loaded.text.mistake(path, secrets.hide(error.message)));
  };
  const tried = async (path: ValuePath, attempt: () => unknown): Promise<void> => {
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof BlinkstreamError)) throw error;
      tell(path, error);
    }
  };
  for (const { path, error } of await securityProblems(loaded)) tell(path, error);
  const { sources, blobs } = loaded.deployment;
  for (const [i, entry] of sources.entries()) {
    await tried(['sources', i, inputFields[entry.kind]], async () => {
      if (entry.kind !== 'kafka') await open(entry, loaded, hub);
      else if (kafka !== undefined) await mustBeThere(entry, kafka);
    });
  }
  if (blobs) await tried(['blobs'], () => claimCheckStore(blobs, loaded.folder));
  if (problems > 0) return exitCodes.input;
  const names = parts.map(({ key }) => key);
  if (io.json) io.out.json(JSON.stringify({ pipelines: names }));
  else io.out.line(`${file} is in order: ${names.length} ${names.length === 1 ? 'pipeline' : 'pipelines'}`);
  return exitCodes.done;
}

function tellMistake(io: CommandIo, file: string, { line, column, message }: Mistake): void {
  if (io.json) io.out.json(JSON.stringify({ file, line, column, message }));
  else io.out.line(`${file}:${line}:${column}: ${message}`);
}
