import { messageOf } from '../../records/index.js';
import { PushHub } from '../../sources/push/hub.js';
import type { LoadedDeployment } from '../../topology/deployment/parse.js';
import type { Deployment } from '../../topology/deployment/schema.js';

/** The cameras of a deployment that clients push. */
export function hubOf({ deployment }: LoadedDeployment, tell: (line: string) => void): PushHub {
  const hub = new PushHub({
    maxPixels: deployment.limits.maxPixels,
    onRefused: ({ source, sequence, problem }, count) => {
      // A client may send nothing else: the first of a kind is told, the tenth, the hundredth, and so on.
      if (!/^10*$/.test(String(count))) return;
      tell(`frame ${sequence} of ${source} was refused: ${problem}${count > 1 ? ` (${count} so far)` : ''}`);
    },
    onError: (error) => tell(`a client that pushes frames was let go: ${messageOf(error)}`),
  });
  // Before anybody can ask: a client that is told that there is no such camera gives up.
  hub.declare(pushedIn(deployment));
  return hub;
}

/** Names of the cameras that clients push. */
export const pushedIn = ({ sources }: Deployment): string[] =>
  sources.filter(({ kind }) => kind === 'push').map(({ name }) => name);
