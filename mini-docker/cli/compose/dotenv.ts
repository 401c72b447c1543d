// Variable files as Compose reads them: `.env`, `--env-file`, and a service's `env_file`. Unlike the files
// of `docker run --env-file`, they allow quotes, comments after values, and variables in values.

import { FormatError } from '../../formats/errors.ts';
import { interpolate, type Lookup } from './interpolate.ts';

/** Characters of all values of a file. */
const MOST_CHARACTERS = 1 << 26;
const LINE = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)[ \t]*(?:([=:])[ \t]*)?/;

/** Decodes a file; values may use earlier ones and those of `lookup`. @throws FormatError with the line */
export function decodeDotenv(text: string, lookup: Lookup): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  const variables = { lookup: (name: string) => lookup(name) ?? found.get(name), missing: () => {} };
  let characters = 0;
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    if (/^\s*(#|$)/.test(line)) continue;
    const number = index + 1;
    const match = LINE.exec(line);
    if (!match) throw new FormatError(`line ${number}: ${JSON.stringify(line.trim())} is not NAME=VALUE`);
    const [whole, name, separator] = match as unknown as [string, string, string | undefined];
    const rest = line.slice(whole.length);
    if (separator === undefined) {
      if (rest.trim() !== '') throw new FormatError(`line ${number}: there is no = behind ${name}`);
      found.set(name, lookup(name));
      continue;
    }
    const quote = rest[0];
    try {
      if (quote === '"' || quote === "'") {
        const quoted = readQuoted(lines, index, rest, quote);
        index = quoted.last;
        found.set(
          name,
          quote === "'" ? quoted.text : interpolate(quoted.text, variables).replaceAll('\u0000', '$'),
        );
      } else found.set(name, interpolate(rest.replace(/(^|\s)#.*$/, '').trim(), variables));
      characters += found.get(name)!.length;
      if (characters > MOST_CHARACTERS)
        throw new FormatError(`makes the file longer than ${MOST_CHARACTERS} characters`);
    } catch (cause) {
      throw new FormatError(`line ${number}: ${name} ${(cause as Error).message}`, { cause });
    }
  }
  return found;
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '\u0000' };

/** Reads a quoted value, which may span lines. An escaped $ becomes NUL, and so starts no variable. */
function readQuoted(lines: readonly string[], first: number, rest: string, quote: string) {
  let text = '';
  let line = rest.slice(1);
  for (let index = first; ; ) {
    for (let at = 0; at < line.length; at++) {
      const letter = line[at]!;
      if (letter === quote) {
        if (!/^\s*(#.*)?$/.test(line.slice(at + 1)))
          throw new FormatError(`has text behind its closing quote: ${line.slice(at + 1).trim()}`);
        return { text, last: index };
      }
      const escaped = quote === '"' && letter === '\\' ? ESCAPES[line[at + 1] ?? ''] : undefined;
      if (escaped === undefined) text += letter;
      else {
        text += escaped;
        at += 1;
      }
    }
    index += 1;
    if (index >= lines.length) throw new FormatError(`has no closing ${quote}`);
    text += '\n';
    line = lines[index]!;
  }
}
