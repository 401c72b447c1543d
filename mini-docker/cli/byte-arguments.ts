// Arguments of the command line that name files. Node decodes them as UTF-8, which a file's name need not be, and
// puts U+FFFD where it cannot; the kernel still has the bytes.

import { readFileSync } from 'node:fs';
import { decodeName } from '../formats/byte-names.ts';

/** The arguments as names (byte-names.ts). @param args some of this process's arguments, in order */
export function byteArguments(args: readonly string[]): string[] {
  if (!args.some(each => each.includes('\ufffd'))) return [...args];
  const given = readFileSync('/proc/self/cmdline', 'latin1')
    .split('\0')
    .map(each => Buffer.from(each, 'latin1'));
  let at = 0;
  return args.map(each => {
    const found = given.findIndex((bytes, index) => index >= at && bytes.toString() === each);
    if (found < 0) return each;
    at = found + 1;
    return decodeName(given[found]!);
  });
}
