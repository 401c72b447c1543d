// Output for the terminal: every state has a sign and a word; colour (blue and yellow, which nearly everyone can tell
// apart) only adds to them.
import { Chalk } from 'chalk';

/** Any value except an empty one turns colours off. https://no-color.org */
export const paint = process.env.NO_COLOR ? new Chalk({ level: 0 }) : new Chalk();

export const good = (text: string): string => paint.blueBright(text);
export const bad = (text: string): string => paint.yellowBright(text);
export const dim = (text: string): string => paint.dim(text);
export const bold = (text: string): string => paint.bold(text);

export const SIGN = { passed: '✓', failed: '✗', skipped: '–', open: '·' } as const;

/** Columns to use; a serial console reports 0. */
export function width(): number {
  return Math.max(40, Math.min(process.stdout.columns || 80, 100));
}

/** Whether the terminal's character set is UTF-8. The order of the variables is that of locale(7). */
export function speaksUnicode(environment: NodeJS.ProcessEnv = process.env): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = environment;
  const locale = LC_ALL || LC_CTYPE || LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale);
}

const ASCII: Readonly<Record<string, string>> = {
  '─': '-',
  '═': '=',
  '│': '|',
  '┌': '+',
  '┐': '+',
  '└': '+',
  '┘': '+',
  '├': '+',
  '┤': '+',
  '┬': '+',
  '┴': '+',
  '┼': '+',
  '▲': '^',
  '↑': '^',
  '▼': 'v',
  '▸': '>',
  '→': '->',
  '‹': '<',
  '›': '>',
  '●': '*',
  '·': '.',
  '–': '-',
  '…': '...',
  '✓': '+',
  '✗': 'x',
  '×': 'x',
  µ: 'u',
};

/** Replaces characters by ASCII. Diagrams keep their columns: longer replacements occur only at ends of lines. */
export function inAscii(text: string): string {
  return text.replace(/[^\x00-\x7f]/gu, character => ASCII[character] ?? '?');
}

/** Prints a line for the user, in characters that the terminal can show. */
export function print(line = ''): void {
  process.stdout.write(`${speaksUnicode() ? line : inAscii(line)}\n`);
}

export function printError(line: string): void {
  process.stderr.write(`${speaksUnicode() ? line : inAscii(line)}\n`);
}

/** Breaks text at spaces; continuation lines are indented. */
export function wrap(text: string, indent: string, first = indent): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const empty = line.trim() === '' || line === first;
    if (!empty && line.length + 1 + word.length > width()) {
      lines.push(line);
      line = indent + word;
    } else line += line.endsWith(' ') || line === '' ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}
