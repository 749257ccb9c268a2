import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BlinkstreamError, messageOf } from '../../records/index.js';
import { contradictions } from './contradictions.js';
import { deploymentSchema, type Deployment } from './schema.js';
import { YamlText, type Mistake } from './text.js';
import { mistakesIn } from './words.js';

/** A deployment file as it was read: what it says, or everything that is wrong with it. */
export type ParsedDeployment =
  { readonly deployment: Deployment; readonly text: YamlText } | { readonly mistakes: readonly Mistake[] };

/** Reads a deployment out of YAML. What it names, such as files, is not looked at. */
export function parseDeployment(yaml: string): ParsedDeployment {
  const text = new YamlText(yaml);
  if (text.mistakes.length > 0) return { mistakes: text.mistakes };
  const parsed = mistakesIn(text, deploymentSchema);
  if ('mistakes' in parsed) return { mistakes: inOrder(parsed.mistakes) };
  const found = contradictions(parsed.value).map(({ path, message }) => text.mistake(path, message));
  return found.length > 0 ? { mistakes: inOrder(found) } : { deployment: parsed.value, text };
}

/** A deployment and the folder from which its paths are taken. */
export interface LoadedDeployment {
  readonly file: string;
  readonly folder: string;
  readonly deployment: Deployment;
  readonly text: YamlText;
}

/** @throws BlinkstreamError `DEPLOYMENT_NOT_READABLE`, `DEPLOYMENT_INVALID` (user), see `mistakesOf` */
export async function loadDeployment(file: string): Promise<LoadedDeployment> {
  let yaml: string;
  try {
    yaml = await readFile(file, 'utf8');
  } catch (cause) {
    throw new BlinkstreamError(`deployment file ${file} cannot be read: ${messageOf(cause)}`, {
      code: 'DEPLOYMENT_NOT_READABLE',
      class: 'user',
      stage: 'topology',
      hint: 'check the path and its permissions',
      cause,
    });
  }
  const parsed = parseDeployment(yaml);
  if ('mistakes' in parsed) throw new DeploymentInvalid(file, parsed.mistakes);
  return { file, folder: dirname(resolve(file)), ...parsed };
}

/** A file with mistakes, all of them. */
export class DeploymentInvalid extends BlinkstreamError {
  constructor(
    file: string,
    readonly mistakes: readonly Mistake[],
  ) {
    const [{ line, column, message }] = mistakes;
    const more = mistakes.length > 1 ? ` (and ${mistakes.length - 1} more)` : '';
    super(`${file}:${line}:${column}: ${message}${more}`, {
      code: 'DEPLOYMENT_INVALID',
      class: 'user',
      stage: 'topology',
      hint: 'blinkstream run FILE --check tells all that is wrong with a file',
      exitCode: 2,
    });
  }
}

const inOrder = (mistakes: readonly Mistake[]): Mistake[] =>
  [...mistakes].sort((a, b) => a.line - b.line || a.column - b.column);
