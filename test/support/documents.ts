import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of code of a document, and the line on which it begins. */
export interface CodeBlock {
  readonly document: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

/** The documents that people read, by their path from the root. */
export const documents = (): string[] => [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...readdirSync(`${root}/docs`)
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

export const textOf = (document: string): string => readFileSync(`${root}/${document}`, 'utf8');

export const codeBlocks = (document: string): CodeBlock[] => {
  const text = textOf(document);
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(({ 1: language, 2: code, index }) => ({
    document,
    line: text.slice(0, index).split('\n').length,
    language,
    code,
  }));
};
