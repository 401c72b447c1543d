// A chapter in a terminal.
import { spawnSync } from 'node:child_process';
import chalk from 'chalk';
import { Marked } from 'marked';
import { markedTerminal } from 'marked-terminal';
import { width } from './screen.ts';

const HIGHLIGHT = {
  keyword: chalk.blueBright,
  built_in: chalk.cyan,
  string: chalk.yellow,
  number: chalk.yellow,
  comment: chalk.dim,
  title: chalk.bold,
  addition: chalk.blueBright,
  deletion: chalk.yellow,
};

/** For people at a terminal; where output goes into a file or a pipe, Markdown is plain as it is. */
export function render(markdown: string): string {
  if (!process.stdout.isTTY) return markdown;
  const terminal = markedTerminal(
    {
      width: width(),
      reflowText: true,
      tab: 2,
      firstHeading: chalk.bold.underline,
      heading: chalk.bold,
      strong: chalk.bold,
      em: chalk.italic,
      codespan: chalk.cyan,
      link: chalk.cyan,
      href: chalk.cyan.underline,
      showSectionPrefix: false,
    },
    { theme: HIGHLIGHT } as never,
  );
  // The types of marked-terminal are those of older versions of marked and of its highlighter.
  const marked = new Marked(terminal as object);
  return String(marked.parse(prepared(markdown)));
}

/** ```ts file=box.ts → ```ts: what stands behind the language is for the tests. And lines of code fit the screen. */
function prepared(markdown: string): string {
  let inside = false;
  const lines = markdown.split('\n').flatMap(line => {
    const fence = /^```(\w*)/.exec(line);
    if (fence === null) return inside ? folded(line, width() - 4) : [line];
    inside = !inside;
    return [`\`\`\`${fence[1] === 'console' ? 'text' : fence[1]}`];
  });
  return lines.join('\n');
}

/** Broken at blanks, the rest indented; a command in a way that can be typed, and so not inside of quotes. */
function folded(line: string, room: number, command = line.startsWith('$ ')): string[] {
  if (line.length <= room) return [line];
  const indent = ' '.repeat(line.length - line.trimStart().length + 4);
  const blanks = [...line.matchAll(/ /g)].map(({ index }) => index);
  const at = blanks.findLast(
    index => index > indent.length && index <= room - 2 && !(command && isQuoted(line.slice(0, index))),
  );
  if (at === undefined) return [line];
  return [line.slice(0, at) + (command ? ' \\' : ''), ...folded(indent + line.slice(at + 1), room, command)];
}

function isQuoted(before: string): boolean {
  return /['"]/.test(before.replace(/'[^']*'|"[^"]*"/g, ''));
}

/** One screenful at a time where somebody can turn the page. */
export function page(text: string): void {
  const lines = text.split('\n').length;
  if (!process.stdout.isTTY || lines < (process.stdout.rows ?? 24)) {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    return;
  }
  const [pager = 'less', ...args] = (process.env.PAGER || 'less -R -X -F').split(' ');
  const { error } = spawnSync(pager, args, { input: text, stdio: ['pipe', 'inherit', 'inherit'] });
  if (error !== undefined) process.stdout.write(text);
}
