// How things are printed: always a sign and a word, colour only in addition (blue and yellow, which nearly all can tell apart).
import chalk from 'chalk';

export const good = (text: string): string => chalk.blueBright(text);
export const bad = (text: string): string => chalk.yellowBright(text);
export const dim = (text: string): string => chalk.dim(text);
export const bold = (text: string): string => chalk.bold(text);

export const SIGN = { passed: '✓', failed: '✗', skipped: '–', open: '·' } as const;

export function width(): number {
  // 0 is what a serial console says.
  return Math.max(40, Math.min(process.stdout.columns || 80, 100));
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
