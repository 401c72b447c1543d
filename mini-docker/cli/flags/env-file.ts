// Files of environment variables and labels, as `--env-file` and `--label-file` read them
// (https://docs.docker.com/reference/cli/docker/container/run/#env).

import { FormatError } from '../../formats/errors.ts';

/**
 * Lines of KEY=value; a value is taken as it is, quotes included. `#` starts a comment line. A line with a KEY alone
 * takes its value from `lookup`, and is left out when that has none. Throws FormatError.
 */
export function decodeEnvFile(text: string, lookup: (key: string) => string | undefined): string[] {
  const variables: string[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const key = equals < 0 ? line.trimEnd() : line.slice(0, equals);
    if (key === '') throw new FormatError(`no variable name on line ${index + 1} ('${line}')`);
    if (/\s/.test(key)) throw new FormatError(`variable '${key}' contains whitespaces (line ${index + 1})`);
    const value = equals < 0 ? lookup(key) : line.slice(equals + 1);
    if (value !== undefined) variables.push(`${key}=${value}`);
  }
  return variables;
}
