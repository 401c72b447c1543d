// Filters by name are regular expressions, of containers, networks and volumes alike.

import { FormatError } from '../../formats/errors.ts';
import { compileGoRegexp } from '../../formats/go-regexp.ts';
import { badParameter } from './errors.ts';

/** Whether one of the values fits. @throws badParameter for one that is no regular expression */
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
