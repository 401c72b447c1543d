// Variables in compose files: $NAME, ${NAME}, ${NAME:-default} and the other operators
// (https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md).

import { FormatError } from '../../formats/errors.ts';

/** Undefined where a variable is not set. */
export type Lookup = (name: string) => string | undefined;

export interface Variables {
  lookup: Lookup;
  /** A variable without a value was replaced by nothing. */
  missing(name: string): void;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /:?[-?+]/y;
/** Defaults within defaults; each level is a call. */
const DEEPEST = 50;

/** Throws FormatError for what is no template, and where `:?` demands a variable that is not set. */
export function interpolate(text: string, variables: Variables): string {
  if (!text.includes('$')) return text;
  const scan = { text, at: 0, variables, depth: 0, unused: false };
  return readUntil(scan, false);
}

interface Scan {
  text: string;
  at: number;
  variables: Variables;
  depth: number;
  /** What it gives is thrown away: it must neither complain nor demand. */
  unused: boolean;
}

const invalid = (text: string) =>
  new FormatError(
    `is an invalid interpolation format: ${JSON.stringify(text)}; you may need to escape any $ with another $`,
  );

/** Up to the brace that ends the expression around it, or the end. The brace is not consumed. */
function readUntil(scan: Scan, inBraces: boolean): string {
  let result = '';
  while (scan.at < scan.text.length) {
    const letter = scan.text[scan.at]!;
    if (inBraces && letter === '}') return result;
    scan.at += 1;
    result += letter === '$' ? readVariable(scan) : letter;
  }
  if (inBraces) throw invalid(scan.text);
  return result;
}

function take(scan: Scan, pattern: RegExp): string | undefined {
  pattern.lastIndex = scan.at;
  const found = pattern.exec(scan.text)?.[0];
  if (found !== undefined) scan.at += found.length;
  return found;
}

/** Behind a $. */
function readVariable(scan: Scan): string {
  const next = scan.text[scan.at];
  if (next === '$') {
    scan.at += 1;
    return '$';
  }
  const { variables } = scan;
  if (next !== '{') {
    const name = take(scan, NAME);
    if (name === undefined) throw invalid(scan.text);
    return valueNamed(name, scan);
  }
  scan.at += 1;
  scan.depth += 1;
  if (scan.depth > DEEPEST) throw invalid(scan.text);
  const name = take(scan, NAME);
  if (name === undefined) throw invalid(scan.text);
  const operator = take(scan, OPERATOR) ?? '';
  if (operator === '' && scan.text[scan.at] !== '}') throw invalid(scan.text);
  const value = variables.lookup(name);
  const isSet = operator.startsWith(':') ? Boolean(value) : value !== undefined;
  const kind = operator.at(-1);
  const inner = { ...scan, unused: scan.unused || (kind === '+' ? !isSet : isSet) };
  const operand = operator === '' ? '' : readUntil(inner, true);
  scan.at = Math.max(scan.at, inner.at) + 1;
  scan.depth -= 1;
  if (kind === '-') return isSet ? value! : operand;
  if (kind === '+') return isSet ? operand : '';
  if (kind === '?' && !isSet && !scan.unused)
    throw new FormatError(
      `needs the variable ${name}: ${operand || (value === undefined ? 'it is not set' : 'it is empty')}`,
    );
  return valueNamed(name, scan);
}

function valueNamed(name: string, { variables, unused }: Scan): string {
  const value = variables.lookup(name);
  if (value === undefined && !unused) variables.missing(name);
  return value ?? '';
}
