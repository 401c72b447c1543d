// Renders Markdown for a terminal, in the width of the screen.
import { marked, type Token, type Tokens } from 'marked';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { highlighted } from './highlight.ts';
import { inAscii, paint, speaksUnicode, width } from './screen.ts';
import { layTable } from './table.ts';

export interface Screen {
  /** Width in columns. */
  width: number;
  unicode: boolean;
}

/** Renders for a terminal; a file or a pipe gets the Markdown unchanged. */
export function render(markdown: string): string {
  if (!process.stdout.isTTY) return markdown;
  return laidOut(markdown, { width: width(), unicode: speaksUnicode() });
}

export function laidOut(markdown: string, screen: Screen): string {
  const text = `${blocks(marked.lexer(markdown), screen.width)}\n`;
  return screen.unicode ? text : inAscii(text);
}

function blocks(tokens: readonly Token[], room: number, between = '\n\n'): string {
  return tokens
    .filter(({ type }) => type !== 'space' && type !== 'html' && type !== 'def')
    .map(token => block(token, room))
    .join(between);
}

function block(token: Token, room: number): string {
  switch (token.type) {
    case 'heading': {
      const text = wrapped(inline((token as Tokens.Heading).tokens), room);
      return token.depth === 1 ? paint.bold.underline(text) : paint.bold(text);
    }
    case 'code':
      return code(token as Tokens.Code, room);
    case 'list':
      return list(token as Tokens.List, room);
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      const texts = (cells: readonly Tokens.TableCell[]): string[] => cells.map(cell => inline(cell.tokens));
      return layTable({ header: texts(header), rows: rows.map(texts), room });
    }
    case 'blockquote':
      return indented(blocks(parts(token) ?? [], room - 2), '│ ', '│ ');
    case 'hr':
      return '─'.repeat(room);
    default:
      return wrapped(inline(parts(token) ?? [token]), room);
  }
}

function list({ ordered, start, items, loose }: Tokens.List, room: number): string {
  return items
    .map((item, index) => {
      const mark = ordered ? `${(start || 1) + index}. ` : '- ';
      const inner = blocks(item.tokens, room - mark.length - 2, loose ? '\n\n' : '\n');
      return indented(inner, `  ${mark}`, ' '.repeat(mark.length + 2));
    })
    .join(loose ? '\n\n' : '\n');
}

/** In the info string, attributes for the tests follow the language (`ts file=box.ts`). */
function code({ lang = '', text }: Tokens.Code, room: number): string {
  const [language = ''] = lang.split(' ');
  const lines =
    language === 'text' ? text.split('\n') : text.split('\n').flatMap(line => folded(line, room - 4));
  const shown =
    language === 'console'
      ? lines.map(line => (line.startsWith('$ ') ? paint.bold(line) : line)).join('\n')
      : highlighted(lines.join('\n'), language);
  // A diagram that is too wide starts at the edge of the screen.
  const indent = lines.some(line => stringWidth(line) > room - 4) ? '' : '    ';
  return indented(shown, indent, indent);
}

function inline(tokens: readonly Token[] = []): string {
  return tokens.map(styled).join('');
}

function styled(token: Token): string {
  switch (token.type) {
    case 'strong':
      return paint.bold(inline(parts(token)));
    case 'em':
      return paint.italic(inline(parts(token)));
    case 'codespan':
      return paint.cyan(token.text);
    case 'br':
      return '\n';
    case 'link': {
      const text = inline(parts(token));
      const isAddress = /^https?:/.test(token.href) && token.href !== token.text;
      return isAddress ? `${text} (${paint.cyan.underline(token.href)})` : paint.cyan(text);
    }
    default:
      return parts(token) ? inline(parts(token)) : 'text' in token ? token.text : token.raw;
  }
}

function parts(token: Token): Token[] | undefined {
  return 'tokens' in token ? token.tokens : undefined;
}

/** Joins the source's lines, and wraps them for the screen. */
function wrapped(text: string, room: number): string {
  return wrapAnsi(text.replace(/(?<!\n) *\n(?!\n)/g, ' '), room, { hard: false });
}

function indented(text: string, first: string, rest: string): string {
  return text
    .split('\n')
    .map((line, index) => (line === '' ? '' : (index === 0 ? first : rest) + line))
    .join('\n');
}

/** Breaks a line of code at spaces. A command is not broken within quotes, so that it can still be typed. */
function folded(line: string, room: number, command = line.startsWith('$ ')): string[] {
  if (stringWidth(line) <= room) return [line];
  const [start = ''] = /^ *(\/\/ )?/.exec(line) ?? [];
  const indent = start.endsWith('// ') ? start : `${start}    `;
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
