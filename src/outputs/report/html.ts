/** Markup that is safe to put into a page as it is: only the `html` tag makes it. */
export class Html {
  constructor(readonly text: string) {}
}

export type HtmlValue = string | number | Html | false | undefined | readonly HtmlValue[];

/**
 * Markup with every inserted string escaped, for text and for double-quoted attributes alike. `false` and `undefined`
 * insert nothing, lists are joined. Nothing may be inserted into a script, a style or an unquoted attribute.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.reduce((text, string, i) => text + insert(values[i - 1]) + string));
}

function insert(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(insert).join('');
  return String(value).replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
