// Name filters, which are regular expressions: for containers, networks and volumes.

import { badParameter, FormatError } from '../../formats/errors.ts';
import { compileGoRegexp } from '../../formats/go-regexp.ts';

/** Whether a name matches one of the values. @throws badParameter when a value is not a regular expression */
export async function nameFilter(values: readonly string[]): Promise<(name: string) => boolean> {
  const patterns = await Promise.all(values.map(compile));
  return name => patterns.some(pattern => pattern.finds(name));
}

function compile(value: string) {
  return compileGoRegexp(value).catch((error: unknown) => {
    if (!(error instanceof FormatError)) throw error;
    throw badParameter(`invalid filter 'name=${value.slice(0, 80)}': ${error.message}`);
  });
}
