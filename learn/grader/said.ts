// Shortens a submission's stderr to what its author needs and a teacher's terminal can bear: the first error with its
// place, a few lines, no control characters.
import { visible } from '../../mini-docker/formats/visible.ts';

const MOST_LINES = 6;
const MOST_CHARACTERS = 160;

/** One line of bounded length, without control characters. */
export function harmless(text: string, most = 600): string {
  const shown = visible(text.length > most ? text.slice(0, most) : text, '\n');
  return text.length > most ? `${shown}…` : shown;
}

/**
 * @param code how the program ended; undefined while it runs
 * @returns undefined if there is nothing to report
 */
export function said(stderr: string, code: number | undefined): string | undefined {
  const lines = errorIn(stderr) ?? stderr.split('\n').filter(line => line.trim() !== '');
  if (lines.length === 0) return undefined;
  const shown = lines.slice(0, MOST_LINES).map(line => harmless(line.trimEnd(), MOST_CHARACTERS));
  if (lines.length > MOST_LINES) shown.push('…');
  if (code !== undefined) shown.push(`(exit code ${code})`);
  return shown.join('\n');
}

/**
 * Finds the uncaught error with its place: 'ReferenceError: kin is not defined (box.ts:4)'. Node prints
 *
 *     file:///…/box.ts:4        the place, the line, and carets below it
 *     kin
 *     ^
 *     ReferenceError: kin is not defined
 *         at file:///…/box.ts:4:1
 */
function errorIn(stderr: string): string[] | undefined {
  const lines = stderr.slice(0, 1 << 16).split('\n');
  const at = lines.findIndex(line => /^\s*(Uncaught |\[cause\]: )?\w*Error\b( \[\w+\])?:/.test(line));
  if (at < 0) return undefined;
  const message = harmless(lines[at]!.trim().replaceAll(WORK, ''));
  const header = lines.slice(0, at).findLastIndex(line => placeIn([line]) !== undefined);
  const atHeader = placeIn(lines.slice(Math.max(header, 0), at));
  // The stack of a syntax error shows only the module loader; the marked line of code tells more.
  if (/^\s*SyntaxError/.test(lines[at]!)) {
    const code = header < 0 ? [] : lines.slice(header + 1, at).filter(line => line.trim() !== '');
    return [withPlace(message, atHeader), ...code];
  }
  const stack = lines.slice(at + 1).filter(line => /^\s+at /.test(line));
  return [withPlace(message, placeIn(stack) ?? atHeader)];
}

function withPlace(message: string, place: string | undefined): string {
  return place === undefined ? message : `${message} (${place})`;
}

/** The learner's folder in the sandbox, before the name of a file. */
const WORK = /(file:\/\/)?[\w./-]*\/work\/\d\d[a-z]?-[\w-]+\//g;

/** 'box.ts:4', from the first line that names one of the learner's files. */
function placeIn(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const [, file, number] = /\/work\/\d\d[a-z]?-[\w-]+\/([\w./-]+\.\w+):(\d+)/.exec(line) ?? [];
    if (file !== undefined) return `${file}:${number}`;
  }
  return undefined;
}
