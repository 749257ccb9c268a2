import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { runCli } from '../../src/cli/program.js';
import { codeBlocks, documents, root, textOf } from '../support/documents.js';

const blocks = documents().flatMap(codeBlocks);
const scripts = Object.keys(manifest.scripts);

describe('examples in TypeScript', () => {
  const examples = blocks.filter(({ language }) => language === 'ts');

  test('each is a module that the compiler accepts', { timeout: 120_000 }, () => {
    expect(examples.length).toBeGreaterThan(5);
    const modules = new Map(
      examples.map(({ document, line, code }) => [
        join(root, 'docs', `${document.replace(/\W/g, '-')}-${line}.ts`),
        // Blank lines, so that the compiler names the line of the document.
        '\n'.repeat(line) + code,
      ]),
    );
    expect(complaints(modules)).toEqual([]);
  });
});

/** What the compiler says about modules that are given as text, under the project's own options. */
function complaints(modules: ReadonlyMap<string, string>): string[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  host.fileExists = (file) => modules.has(file) || ts.sys.fileExists(file);
  host.readFile = (file) => modules.get(file) ?? ts.sys.readFile(file);
  const program = ts.createProgram(
    [...modules.keys()],
    { ...options, paths: { blinkstream: [join(root, 'src/index.ts')] } },
    host,
  );
  return [...modules.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start }) =>
        `${file}:${source?.getLineAndCharacterOfPosition(start ?? 0).line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
}

/** The long options that a command's help names. */
async function optionsOf(command: string): Promise<string[]> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCli([command, '--help'], { stdout, stderr, env: {}, signal: new AbortController().signal });
  stdout.end();
  expect({ command, code }).toEqual({ command, code: 0 });
  return [...(await text(stdout)).matchAll(/--[a-z][a-z-]*/g)].map(([flag]) => flag);
}

describe.each(documents())('%s', (document) => {
  const commands = [
    ...codeBlocks(document)
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code }) => code.replaceAll('\\\n', ' ').split('\n')),
    ...[...textOf(document).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code),
  ].flatMap((line) => line.split(/&&|\|/).map((command) => command.trim()));

  test('names only commands and options of the command line that there are', async () => {
    for (const line of commands) {
      const command = /^(?:npx |node bin\/)?blinkstream(?:\.js)? ([a-z]+)/.exec(line)?.[1];
      if (command === undefined) continue;
      const known = await optionsOf(command);
      const used = [...line.matchAll(/ (--[a-z][a-z-]*)/g)].map(([, flag]) => flag);
      expect({ line, unknown: used.filter((flag) => !known.includes(flag)) }).toEqual({ line, unknown: [] });
    }
  });

  test('names only npm scripts that there are', () => {
    const run = commands.flatMap((line) => /^npm run ([\w:]+)/.exec(line)?.[1] ?? []);
    expect(run.filter((script) => !scripts.includes(script))).toEqual([]);
  });

  test('links only to files that there are', () => {
    const links = [...textOf(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, link]) => link);
    expect(links.filter((link) => !existsSync(join(root, dirname(document), link)))).toEqual([]);
  });
});
