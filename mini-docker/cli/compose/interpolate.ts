// Variables in compose files: $NAME, ${NAME}, ${NAME:-default} and the other operators
// (https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md).

import { FormatError } from '../../formats/errors.ts';

/** Value of a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

export interface Variables {
  lookup: Lookup;
  /** Reports a variable without a value, which was replaced by nothing. */
  missing(name: string): void;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /:?[-?+]/y;
/** Deepest nesting of defaults within defaults; each level is a function call. */
const DEEPEST = 50;

/** Most characters of a value; the kernel takes 128 KiB for a variable (execve(2)). */
const LONGEST = 1 << 20;

/** @throws FormatError when the text is no template, or when `:?` demands a variable that is not set */
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
  /** Whether the result is discarded: if so, unset variables are neither reported nor demanded. */
  unused: boolean;
}

const invalid = (text: string) =>
  new FormatError(
    `is an invalid interpolation format: ${JSON.stringify(text)}; you may need to escape any $ with another $`,
  );

/** Reads up to the surrounding expression's closing brace, which is not consumed, or to the end. */
function readUntil(scan: Scan, inBraces: boolean): string {
  let result = '';
  while (scan.at < scan.text.length) {
    const letter = scan.text[scan.at]!;
    if (inBraces && letter === '}') return result;
    scan.at += 1;
    result += letter === '$' ? readVariable(scan) : letter;
    if (result.length > LONGEST) throw new FormatError(`becomes longer than ${LONGEST} characters`);
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

/** Reads the variable after a $. */
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
