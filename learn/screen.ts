// How things are printed: always a sign and a word, colour only in addition (blue and yellow, which nearly everyone can tell apart).
import { Chalk } from 'chalk';

/** https://no-color.org: any value but an empty one. */
export const paint = process.env.NO_COLOR ? new Chalk({ level: 0 }) : new Chalk();

export const good = (text: string): string => paint.blueBright(text);
export const bad = (text: string): string => paint.yellowBright(text);
export const dim = (text: string): string => paint.dim(text);
export const bold = (text: string): string => paint.bold(text);

export const SIGN = { passed: '✓', failed: '✗', skipped: '–', open: '·' } as const;

/** Columns to use; 0 is what a serial console says. */
export function width(): number {
  return Math.max(40, Math.min(process.stdout.columns || 80, 100));
}

/** Whether the terminal's character set has more than ASCII: locale(7) says in which order the variables count. */
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

/** Pictures keep their columns: what is more than one character wide stands only where that does no harm. */
export function inAscii(text: string): string {
  return text.replace(/[^\x00-\x7f]/gu, character => ASCII[character] ?? '?');
}

/** A line for the user, in the characters that the terminal has. */
export function print(line = ''): void {
  process.stdout.write(`${speaksUnicode() ? line : inAscii(line)}\n`);
}

export function printError(line: string): void {
  process.stderr.write(`${speaksUnicode() ? line : inAscii(line)}\n`);
}

/** Breaks text at blanks; further lines are indented. */
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
