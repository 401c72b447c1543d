// Regular expressions in filters (`ps --filter name=`) are Go's (https://github.com/google/re2/wiki/Syntax), and are
// matched as Go does it, in time proportional to the text. JavaScript's take exponential time for some, and would let
// one request stop the daemon.

import { FormatError } from './errors.ts';

export interface GoRegexp {
  /** Whether some part of the text fits. */
  finds(text: string): boolean;
}

/** Longer ones are a mistake, and compiling takes time. Characters. */
const LONGEST = 1024;

/** @throws FormatError when the expression is not valid or too long */
export async function compileGoRegexp(text: string): Promise<GoRegexp> {
  if (text.length > LONGEST) throw new FormatError(`it is longer than ${LONGEST} characters`);
  // Most filters are names. To load the library takes 10 ms.
  if (/^[\w/-]*$/.test(text)) return { finds: each => each.includes(text) };
  const { RE2JS } = await import('re2js');
  try {
    const compiled = RE2JS.compile(text);
    return { finds: each => compiled.matcher(each).find() };
  } catch (cause) {
    throw new FormatError((cause as Error).message, { cause });
  }
}
