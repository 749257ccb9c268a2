/** A sentence whose facts are taken out one by one, each judged in the part that it plays there. */
export class Sentence {
  text: string;
  /** What it says that measurements contradict. */
  readonly wrong: string[] = [];
  /** What it says that nothing measured speaks for. */
  readonly unsure: string[] = [];
  #cutTo = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Words from here on in lower case; quotes are taken before. */
  lower(): void {
    this.text = this.text.toLowerCase();
  }

  /** Takes a phrase out where it stands after those cut before. */
  cut(phrase: string): boolean {
    const at = this.text.indexOf(phrase, this.#cutTo);
    if (at < 0) return false;
    this.text = `${this.text.slice(0, at)}…${this.text.slice(at + phrase.length)}`;
    this.#cutTo = at + 1;
    return true;
  }

  /** Takes every match out; those that do not hold are wrong. */
  take(pattern: RegExp, holds: (match: RegExpExecArray) => boolean, why = 'was not measured'): void {
    const matches = this.each(pattern, (match) => {
      if (!holds(match)) this.wrong.push(`"${match[0]}" ${why}`);
    });
    for (const match of matches.reverse())
      this.text = `${this.text.slice(0, match.index)}…${this.text.slice(match.index + match[0].length)}`;
  }

  /** Looks at every match of a global pattern. */
  each(pattern: RegExp, look: (match: RegExpExecArray) => void): RegExpExecArray[] {
    const matches = [...this.text.matchAll(pattern)];
    matches.forEach(look);
    return matches;
  }
}
