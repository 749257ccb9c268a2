import { clientAccess } from '../../grpc/client-access.js';
import { serverAccess } from '../../grpc/server-access.js';
import { TlsFiles } from '../../grpc/tls-files.js';
import { BlinkstreamError } from '../../records/index.js';
import { mqttTlsOf } from '../../topology/deployment/mqtt.js';
import type { LoadedDeployment } from '../../topology/deployment/parse.js';
import { securityIn } from '../../topology/deployment/security.js';
import type { Secrets } from '../../topology/deployment/secrets.js';
import type { ValuePath } from '../../topology/deployment/text.js';
import type { CommandIo } from '../command.js';

/** Runs `work` with notes, and lets errors out of it, that do not show what the deployment file refers to. */
export async function withSecretsHidden<T>(
  secrets: Secrets,
  io: CommandIo,
  work: (hiding: CommandIo) => Promise<T>,
): Promise<T> {
  try {
    return await work({ ...io, notes: io.notes.hiding((text) => secrets.hide(text)) });
  } catch (error) {
    throw secrets.hideIn(error);
  }
}

interface Problem {
  readonly path: ValuePath;
  readonly error: BlinkstreamError;
}

/** What is wrong with the certificates that a deployment names, at their places in the file. */
export async function securityProblems({ folder, deployment }: LoadedDeployment): Promise<Problem[]> {
  const { workers, outputs } = deployment;
  const found: Problem[] = [];
  const tried = async (path: ValuePath, trying: () => Promise<unknown>): Promise<void> => {
    try {
      await trying();
    } catch (error) {
      if (!(error instanceof BlinkstreamError)) throw error;
      found.push({ path, error });
    }
  };
  if (outputs.grpc) {
    const { listen: address } = outputs.grpc;
    const security = securityIn(folder, outputs.grpc);
    await tried(['outputs', 'grpc', 'tls'], async () =>
      (await serverAccess({ address, security, stage: 'output' })).close(),
    );
  }
  if (outputs.mqtt) {
    const tls = mqttTlsOf(outputs.mqtt, folder);
    if (tls) await tried(['outputs', 'mqtt', 'tls'], () => TlsFiles.read(tls, 'output'));
  }
  const [address] = workers.addresses;
  if (address !== undefined) {
    const security = securityIn(folder, workers);
    await tried(['workers', 'tls'], () => clientAccess({ address, security, stage: 'worker', credential: true }));
  }
  return found;
}
