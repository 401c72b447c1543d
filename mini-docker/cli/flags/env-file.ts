// Decodes files of environment variables and labels, for `--env-file` and `--label-file`
// (https://docs.docker.com/reference/cli/docker/container/run/#env).

import { isUtf8 } from 'node:buffer';
import { FormatError } from '../../formats/errors.ts';
import { splitAt } from '../../formats/split.ts';

/**
 * Decodes lines of KEY=value; quotes are part of the value. `#` starts a comment line. A line with only a KEY
 * takes its value from `lookup`, and is left out without one.
 * @throws FormatError when a line is malformed
 */
export function decodeEnvFile(
  content: string | Uint8Array,
  lookup: (key: string) => string | undefined,
): string[] {
  const text = typeof content === 'string' ? content : decodeUtf8(content);
  const variables: string[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const [name, given] = splitAt(line, '=');
    const key = given === undefined ? name.trimEnd() : name;
    if (key === '') throw new FormatError(`no variable name on line ${index + 1} ('${line}')`);
    if (/\s/.test(key)) throw new FormatError(`variable '${key}' contains whitespaces (line ${index + 1})`);
    const value = given ?? lookup(key);
    if (value !== undefined) variables.push(`${key}=${value}`);
  }
  return variables;
}

/** @throws FormatError when a byte is not UTF-8, since it could not be sent unchanged */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const lines = Buffer.from(bytes).toString('latin1').split('\n');
    const wrong = lines.findIndex(line => !isUtf8(Buffer.from(line, 'latin1')));
    throw new FormatError(`invalid utf8 bytes at line ${wrong + 1}`);
  }
}
