import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';

/** Keys and indices from the root of a document to a value in it. */
export type ValuePath = readonly (string | number)[];

/** Something that is wrong in a file, and where: `line` and `column` count from 1. */
export interface Mistake {
  readonly line: number;
  readonly column: number;
  /** One line, without the place. */
  readonly message: string;
}

/** A YAML text, its value, and where in the text each part of the value stands. */
export class YamlText {
  /** What is no YAML; `value` means nothing where there is any. */
  readonly mistakes: readonly Mistake[];
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    this.mistakes = this.#document.errors.map(({ pos: [offset], message }) => this.#at(offset, oneLine(message)));
  }

  /** Plain JSON. @throws ReferenceError where aliases would blow it up */
  get value(): unknown {
    return this.#document.toJS({ maxAliasCount: 100 }) as unknown;
  }

  /** A mistake at the value of `path`, at the nearest one around it where there is none there, or at its last key. */
  mistake(path: ValuePath, message: string, at: 'value' | 'key' = 'value'): Mistake {
    let node: Node | null = this.#document.contents;
    let found = node;
    for (const [i, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.#document) ?? null;
      const pair = isMap(node)
        ? node.items.find(({ key }) => (isScalar(key) ? String(key.value) === String(step) : false))
        : undefined;
      if (pair !== undefined && at === 'key' && i === path.length - 1) return this.#atNode(pair.key as Node, message);
      const next = pair === undefined && isSeq(node) ? node.items[Number(step)] : pair?.value;
      // An entry without a value is there by its key alone.
      if (pair !== undefined && next === null) return this.#atNode(pair.key as Node, message);
      if (next === undefined || next === null) break;
      node = next as Node;
      found = node;
    }
    return found === null ? this.#at(0, message) : this.#atNode(found, message);
  }

  #atNode(node: Node, message: string): Mistake {
    return this.#at(node.range?.[0] ?? 0, message);
  }

  #at(offset: number, message: string): Mistake {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col, message };
  }
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
