// Splits a command string into words as a shell would, without any expansion.

import { FormatError } from '../../formats/errors.ts';

const WORD = /(?:[^\s"'\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+/y;

/** "sh -c 'a b'" → ['sh', '-c', 'a b']. @throws FormatError when a quote is not closed */
export function splitWords(text: string): string[] {
  const found: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text[at]!)) at += 1;
    if (at === text.length) return found;
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0];
    if (word === undefined || /^["'\\]$/.test(text[at + word.length] ?? ''))
      throw new FormatError(`a quote is not closed in ${JSON.stringify(text)}`);
    at += word.length;
    found.push(
      word.replace(/\\([\s\S])|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"/g, (_, escaped, single, double) =>
        escaped !== undefined ? escaped : (single ?? double.replace(/\\(["\\$`\n])/g, '$1')),
      ),
    );
  }
}
