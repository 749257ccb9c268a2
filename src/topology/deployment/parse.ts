import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BlinkstreamError, messageOf } from '../../records/index.js';
import { contradictions } from './contradictions.js';
import { deploymentSchema, type Deployment } from './schema.js';
import { readSecrets, Secrets } from './secrets.js';
import { YamlText, type Mistake, type ValuePath } from './text.js';
import { mistakesIn } from './words.js';

/** A deployment file as it was read: what it says, or everything that is wrong with it. */
export type ParsedDeployment =
  { readonly deployment: Deployment; readonly text: YamlText } | { readonly mistakes: readonly Mistake[] };

/** Reads a deployment out of YAML. What it names, such as files, is not looked at; its references are in `secrets`. */
export const parseDeployment = (yaml: string, secrets = new Secrets()): ParsedDeployment =>
  parse(new YamlText(yaml), secrets);

function parse(text: YamlText, secrets: Secrets): ParsedDeployment {
  if (text.mistakes.length > 0) return { mistakes: text.mistakes };
  const { value, problems, refers } = secrets.resolve(text.value);
  const told = (found: readonly { path: ValuePath; message: string }[]): ParsedDeployment => ({
    mistakes: inOrder(found.map(({ path, message }) => text.mistake(path, secrets.hide(message)))),
  });
  if (problems.length > 0) return told(problems);
  const parsed = mistakesIn(text, deploymentSchema, value);
  if ('mistakes' in parsed) {
    return { mistakes: inOrder(parsed.mistakes.map((one) => ({ ...one, message: secrets.hide(one.message) }))) };
  }
  const found = contradictions(parsed.value, refers);
  return found.length > 0 ? told(found) : { deployment: parsed.value, text };
}

/** A deployment and the folder from which its paths are taken. */
export interface LoadedDeployment {
  readonly file: string;
  readonly folder: string;
  readonly deployment: Deployment;
  readonly text: YamlText;
  /** What it refers to; to be hidden wherever something is told of it. */
  readonly secrets: Secrets;
}

/**
 * Reads a deployment file, and the variables of `env` and files that it refers to.
 * @throws BlinkstreamError `DEPLOYMENT_NOT_READABLE`, `DEPLOYMENT_INVALID` (user), which shows nothing of the latter
 */
export async function loadDeployment(file: string, env = process.env): Promise<LoadedDeployment> {
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
  const folder = dirname(resolve(file));
  const text = new YamlText(yaml);
  const secrets = text.mistakes.length > 0 ? new Secrets() : await readSecrets(text.value, { folder, env });
  const parsed = parse(text, secrets);
  if ('mistakes' in parsed) throw new DeploymentInvalid(file, parsed.mistakes);
  return { file, folder, secrets, ...parsed };
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
