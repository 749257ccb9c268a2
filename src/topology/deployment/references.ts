/** A place in a text where a value from outside of the file is to stand. */
export interface Reference {
  readonly kind: 'env' | 'file';
  /** Of the variable; or path, from the folder of the deployment file. */
  readonly name: string;
  /** As it is written: `${env:NAME}`. */
  readonly written: string;
  /** In a URL, and not in its host or port: the value has to be percent-encoded. */
  readonly encoded: boolean;
}

/** What a text is made of, in order: characters that stand for themselves, references, and what is neither. */
export type Part = string | Reference | { readonly problem: string };

/** `$${`, `${…}`, or a `${` that is never closed. */
const mark = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
const problem = 'after ${ comes env:NAME or file:PATH and then }; for the characters ${ themselves write $${';

/** Takes a text apart. */
export function partsOf(text: string): Part[] {
  const marks = [...text.matchAll(mark)];
  const isInHost = hostOf(text, marks);
  const parts: Part[] = [];
  let at = 0;
  for (const { 0: written, 1: inside, index } of marks) {
    parts.push(text.slice(at, index));
    at = index + written.length;
    const [, kind, name] = /^(env):([A-Za-z_]\w*)$/.exec(inside ?? '') ?? /^(file):(.+)$/s.exec(inside ?? '') ?? [];
    if (written === '$${') parts.push('${');
    else if (name === undefined) parts.push({ problem });
    else parts.push({ kind: kind as Reference['kind'], name, written, encoded: isInHost?.(index) === false });
  }
  parts.push(text.slice(at));
  return parts.filter((part) => part !== '');
}

/** Where the host of a URL stands in a text that is written as one; undefined for other texts. */
function hostOf(text: string, marks: readonly RegExpExecArray[]): ((index: number) => boolean) | undefined {
  // What stands inside of a reference, such as the slashes of a path, is no part of the URL.
  const masked = marks.reduce(
    (before, { 0: written, index }) =>
      before.slice(0, index) + '_'.repeat(written.length) + before.slice(index + written.length),
    text,
  );
  const [, scheme, authority] = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)/i.exec(masked) ?? [];
  if (scheme === undefined) return undefined;
  const begin = scheme.length + authority.lastIndexOf('@') + 1;
  const end = scheme.length + authority.length;
  return (index) => index >= begin && index < end;
}
