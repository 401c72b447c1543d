// One line of comma-separated values (RFC 4180), as `--mount`, `--network` and `--publish` take their long forms.

import { FormatError } from './errors.ts';

/** 'a,"b,c",d' → ['a', 'b,c', 'd']. @throws FormatError when quotes are not closed or are inside a value */
export function decodeCsvLine(text: string): string[] {
  const values: string[] = [];
  const value = /(?:"((?:[^"]|"")*)"|([^,"]*))(,|$)/y;
  for (;;) {
    const match = value.exec(text);
    if (!match) throw new FormatError(`quotes are not closed, or inside a value: ${text}`);
    values.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'));
    if (match[3] === '') return values;
  }
}
