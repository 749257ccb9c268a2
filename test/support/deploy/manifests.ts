import { join } from 'node:path';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { root } from '../documents.js';

/** A Kubernetes object, as far as it is looked at here. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

/** The objects of a YAML file. @throws Error where it is none */
export function manifestsIn(yaml: string): Manifest[] {
  const documents = parseAllDocuments(yaml);
  if ('empty' in documents) throw new Error('there is nothing in it');
  return documents.map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

const packageOf = (apiVersion: string): string =>
  apiVersion.startsWith('keda.sh/') ? '@kubernetes-models/keda' : 'kubernetes-models';

/**
 * What is wrong with objects, by the schemas of Kubernetes and KEDA. First the validators made of the schemas, for values;
 * then the types made of them, by the compiler, which refuses fields that are not there: an API server drops those
 * without a word.
 */
export async function manifestProblems(manifests: readonly Manifest[]): Promise<string[]> {
  const problems: string[] = [];
  for (const manifest of manifests) {
    const { apiVersion, kind } = manifest;
    const module = `${packageOf(apiVersion)}/${apiVersion}`;
    const models = (await import(module)) as Record<string, (new (data: Manifest) => { validate(): void }) | undefined>;
    const Model = models[kind];
    if (Model === undefined) {
      problems.push(`there is no ${kind} in ${apiVersion}`);
      continue;
    }
    try {
      new Model(manifest).validate();
    } catch (error) {
      problems.push(`${kind} ${manifest.metadata.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return [...problems, ...typeProblems(manifests)];
}

function typeProblems(manifests: readonly Manifest[]): string[] {
  const file = join(root, 'test/support/deploy/manifests-as-literals.ts');
  const text = manifests
    .map((manifest, i) => {
      const { apiVersion, kind } = manifest;
      const type = `import('${packageOf(apiVersion)}/${apiVersion}').I${kind}`;
      return `export const object${i}: ${type} = ${JSON.stringify(manifest)};`;
    })
    .join('\n');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  host.fileExists = (path) => path === file || ts.sys.fileExists(path);
  host.readFile = (path) => (path === file ? text : ts.sys.readFile(path));
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    ({ messageText, start = 0 }) => {
      const { line } = source?.getLineAndCharacterOfPosition(start) ?? { line: 0 };
      const { kind, metadata } = manifests[line];
      return `${kind} ${metadata.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    },
  );
}
