import { isDeepStrictEqual } from 'node:util';
import { BlinkstreamError } from '../records/index.js';
import type { PushHub } from '../sources/push/hub.js';
import { contradictions } from '../topology/deployment/contradictions.js';
import { DeploymentInvalid, loadDeployment, type LoadedDeployment } from '../topology/deployment/parse.js';
import type { Deployment } from '../topology/deployment/schema.js';
import type { Mistake } from '../topology/deployment/text.js';
import { keyOf, type Pipeline } from '../topology/pipeline.js';
import type { Service, Supervised } from '../topology/service.js';

export interface DeployedOptions {
  readonly loaded: LoadedDeployment;
  readonly service: Service;
  readonly hub: PushHub;
  readonly pipelinesFrom: (loaded: LoadedDeployment) => Promise<readonly Pipeline<never>[]>;
  /** Notes to the person. */
  readonly tell: (line: string) => void;
}

/** The pipelines of a deployment file, as the file says now. */
export class Deployed {
  readonly #options: DeployedOptions;
  #loaded: LoadedDeployment;
  /** With its source as the file had it when it began. */
  readonly #running = new Map<string, { readonly source: unknown; readonly supervised: Supervised }>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: DeployedOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
  }

  begin(pipelines: readonly Pipeline<never>[]): void {
    for (const pipeline of pipelines) this.#add(pipeline);
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
    const { tell } = this.#options;
    const { file, deployment: current } = this.#loaded;
    let next: LoadedDeployment;
    try {
      next = await loadDeployment(file);
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
    const { hub, pipelinesFrom, tell } = this.#options;
    const pipelines = new Map((await pipelinesFrom(loaded)).map((pipeline) => [keyOf(pipeline), pipeline]));
    hub.declare([...new Set([...pushedIn(this.#loaded.deployment), ...pushedIn(loaded.deployment)])]);
    this.#loaded = loaded;
    const counts = { added: 0, changed: 0, removed: 0 };
    const ending: Promise<void>[] = [];
    for (const [key, { source, supervised }] of this.#running) {
      const pipeline = pipelines.get(key);
      const isSame = pipeline !== undefined && isDeepStrictEqual(source, this.#sourceOf(pipeline));
      if (isSame && supervised.status.state !== 'failed') continue;
      this.#running.delete(key);
      counts[pipeline === undefined ? 'removed' : 'changed'] += 1;
      // It goes on from its own checkpoint, which is not there before it has ended.
      ending.push(supervised.remove().then(() => (pipeline === undefined ? undefined : this.#add(pipeline))));
      pipelines.delete(key);
    }
    for (const [key, pipeline] of pipelines) {
      if (this.#running.has(key)) continue;
      this.#add(pipeline);
      counts.added += 1;
    }
    await Promise.all(ending);
    hub.declare(pushedIn(loaded.deployment));
    const { added, changed, removed } = counts;
    tell(`${loaded.file} was read again: ${added} added, ${changed} changed, ${removed} removed`);
  }

  #add(pipeline: Pipeline<never>): void {
    const supervised = this.#options.service.add(pipeline);
    this.#running.set(keyOf(pipeline), { source: this.#sourceOf(pipeline), supervised });
  }

  #sourceOf({ source }: Pipeline<never>): unknown {
    return this.#loaded.deployment.sources.find(({ name }) => name === source);
  }

  #tellMistakes(mistakes: readonly Mistake[]): void {
    const { file } = this.#loaded;
    for (const { line, column, message } of mistakes) this.#options.tell(`${file}:${line}:${column}: ${message}`);
    this.#options.tell(`${file} was not taken over: everything goes on as it was`);
  }
}

/** Names of the cameras that clients push. */
export const pushedIn = ({ sources }: Deployment): string[] =>
  sources.filter(({ kind }) => kind === 'push').map(({ name }) => name);

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
