import { isDeepStrictEqual } from 'node:util';
import { BlinkstreamError } from '../../records/index.js';
import { contradictions } from '../../topology/deployment/contradictions.js';
import { DeploymentInvalid, loadDeployment, type LoadedDeployment } from '../../topology/deployment/parse.js';
import type { Deployment } from '../../topology/deployment/schema.js';
import type { Mistake } from '../../topology/deployment/text.js';
import type { PushHub } from '../../sources/push/hub.js';
import type { Service } from '../../topology/service.js';
import type { BegunPart, Part } from './parts.js';
import { pushedIn } from './pushing.js';

export interface DeployedOptions {
  readonly loaded: LoadedDeployment;
  readonly service: Service;
  readonly hub: PushHub;
  readonly env: NodeJS.ProcessEnv;
  readonly partsOf: (loaded: LoadedDeployment) => Promise<readonly Part[]>;
  readonly begin: (part: Part, loaded: LoadedDeployment) => BegunPart;
  /** Notes to the person. */
  readonly tell: (line: string) => void;
}

/** The sources of a deployment file, as the file says now. */
export class Deployed {
  readonly #options: DeployedOptions;
  #loaded: LoadedDeployment;
  /** With its source as the file had it when it began. */
  readonly #running = new Map<string, { readonly entry: unknown; readonly begun: BegunPart }>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: DeployedOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
  }

  begin(parts: readonly Part[]): void {
    for (const part of parts) this.#add(part);
  }

  /**
   * Reads the file again, after whatever is being changed still. Sources that are new, gone or different begin, end or
   * begin anew from their checkpoint; one that failed is tried again; the rest is not touched. Of what else differs it is
   * said that it needs a restart. A file with mistakes changes nothing.
   */
  reload(): Promise<void> {
    const reloading = this.#last.then(() => this.#reload());
    this.#last = reloading;
    this.#options.service.during(reloading);
    return reloading;
  }

  async #reload(): Promise<void> {
    const { tell, env } = this.#options;
    const { file, deployment: current } = this.#loaded;
    let next: LoadedDeployment;
    try {
      next = await loadDeployment(file, env);
    } catch (error) {
      if (!(error instanceof BlinkstreamError)) throw error;
      if (error instanceof DeploymentInvalid) this.#tellMistakes(error.mistakes);
      else tell(`${error.message}; everything goes on as it was`);
      return;
    }
    const { deployment, fixed } = withoutWhatIsFixed(current, next.deployment);
    const found = contradictions(deployment).map(({ path, message }) => next.text.mistake(path, message));
    if (found.length > 0) return this.#tellMistakes(found);
    for (const name of fixed) tell(`${file}: ${name} changes with a restart only, and stays as it was`);
    await this.#change({ ...next, deployment });
  }

  async #change(loaded: LoadedDeployment): Promise<void> {
    const { hub, partsOf, tell } = this.#options;
    const parts = new Map((await partsOf(loaded)).map((part) => [part.key, part]));
    hub.declare([...new Set([...pushedIn(this.#loaded.deployment), ...pushedIn(loaded.deployment)])]);
    this.#loaded = loaded;
    const counts = { added: 0, changed: 0, removed: 0 };
    const ending: Promise<void>[] = [];
    for (const [key, { entry, begun }] of this.#running) {
      const part = parts.get(key);
      const isSame = part !== undefined && isDeepStrictEqual(entry, part.entry);
      if (isSame && !begun.hasFailed) continue;
      this.#running.delete(key);
      counts[part === undefined ? 'removed' : 'changed'] += 1;
      // It goes on from its own checkpoint, which is not there before it has ended.
      ending.push(begun.remove().then(() => (part === undefined ? undefined : this.#add(part))));
      parts.delete(key);
    }
    for (const [key, part] of parts) {
      if (this.#running.has(key)) continue;
      this.#add(part);
      counts.added += 1;
    }
    await Promise.all(ending);
    hub.declare(pushedIn(loaded.deployment));
    const { added, changed, removed } = counts;
    tell(`${loaded.file} was read again: ${added} added, ${changed} changed, ${removed} removed`);
  }

  #add(part: Part): void {
    const begun = this.#options.begin(part, this.#loaded);
    this.#running.set(part.key, { entry: part.entry, begun });
  }

  #tellMistakes(mistakes: readonly Mistake[]): void {
    const { file } = this.#loaded;
    for (const { line, column, message } of mistakes) this.#options.tell(`${file}:${line}:${column}: ${message}`);
    this.#options.tell(`${file} was not taken over: everything goes on as it was`);
  }
}

/** The new sources, and which topologies read them, in the deployment that runs; and what else differs. */
function withoutWhatIsFixed(current: Deployment, next: Deployment): { deployment: Deployment; fixed: string[] } {
  const { sources, topologies, ...rest } = next;
  const fixed = Object.entries(rest)
    .filter(([name, value]) => !isDeepStrictEqual(value, current[name as keyof typeof rest]))
    .map(([name]) => name);
  const withoutReads = (list: Deployment['topologies']) => list.map((entry) => ({ ...entry, sources: undefined }));
  const areSame = isDeepStrictEqual(withoutReads(topologies), withoutReads(current.topologies));
  return {
    deployment: { ...current, sources, ...(areSame && { topologies }) },
    fixed: areSame ? fixed : ['topologies', ...fixed],
  };
}
