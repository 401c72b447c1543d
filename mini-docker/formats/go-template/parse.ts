// The syntax of Go's text/template (https://pkg.go.dev/text/template), as far as `--format` needs it: text into a
// tree. Not read: define, template, block, break, continue, := with two names outside range, complex numbers.

import { FormatError } from '../errors.ts';

export type Expression =
  | { kind: 'literal'; value: string | number | boolean | null; source: string }
  | { kind: 'dot' }
  /** `.a.b` of the cursor, `$x.a` of a variable, `(…).a` of an expression, or plain `$x`. */
  | { kind: 'fields'; of: Expression | undefined; path: string[]; at: number; source: string }
  | { kind: 'variable'; name: string }
  | { kind: 'function'; name: string; at: number }
  | { kind: 'pipeline'; pipeline: Pipeline };

/** The first is called with the others as arguments; after a `|`, the preceding value is the last argument. */
export interface Pipeline {
  commands: { parts: Expression[]; at: number; source: string }[];
  declare: string[];
  /** `$x = …` changes a variable instead of making one. */
  assign: boolean;
}

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipeline: Pipeline }
  | { kind: 'if' | 'with' | 'range'; pipeline: Pipeline; body: Node[]; otherwise: Node[] };

interface Token {
  text: string;
  at: number;
  /** A field directly behind a closing parenthesis, variable or field: no space between. */
  joined: boolean;
}

const TOKEN =
  /\s+|"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)+'|\$\w*|\.[A-Za-z_]\w*|[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\b|0[xX][0-9a-fA-F]+|:=|[A-Za-z_]\w*|[.|()=,]/y;

/** @throws FormatError in Go's words: 'template: :1: unclosed action' */
export function parseTemplate(text: string): Node[] {
  const fail = (at: number, why: string) =>
    new FormatError(`template: :${text.slice(0, at).split('\n').length}: ${why}`);
  const pieces = split(text, fail);
  let next = 0;
  const variables: string[][] = [['$']];

  function nodes(inside: string | undefined): { list: Node[]; end: string } {
    const list: Node[] = [];
    while (next < pieces.length) {
      const piece = pieces[next++]!;
      if (typeof piece === 'string') {
        if (piece !== '') list.push({ kind: 'text', text: piece });
        continue;
      }
      const [first] = piece.tokens;
      const word = first?.text;
      if (word === 'end' || word === 'else') {
        if (inside === undefined) throw fail(piece.at, `unexpected {{${word}}}`);
        if (word === 'end' && piece.tokens.length > 1) throw fail(piece.at, 'unexpected text in end');
        if (word === 'else' && piece.tokens.length > 1) {
          const chained = piece.tokens[1]!.text;
          if (chained !== 'if' && chained !== 'with') throw fail(piece.at, `unexpected <${chained}> in else`);
          // {{else if X}} is an else that holds one if, and shares its end.
          pieces[--next] = { at: piece.at, tokens: piece.tokens.slice(1) };
          return { list, end: 'chain' };
        }
        return { list, end: word };
      }
      if (word === 'if' || word === 'with' || word === 'range') list.push(block(word, piece));
      else if (word !== undefined && /^(define|template|block|break|continue)$/.test(word)) {
        throw fail(piece.at, `{{${word}}} is not supported here`);
      } else list.push({ kind: 'print', pipeline: pipeline(piece.tokens, piece.at, 'command') });
    }
    if (inside !== undefined) throw fail(text.length, 'unexpected EOF');
    return { list, end: 'end' };
  }

  function block(kind: 'if' | 'with' | 'range', piece: Action): Node {
    variables.push([]);
    const head = pipeline(piece.tokens.slice(1), piece.at, kind);
    const body = nodes(kind);
    let otherwise: Node[] = [];
    if (body.end === 'else') {
      const rest = nodes(kind);
      if (rest.end !== 'end') throw fail(piece.at, 'expected end; found {{else}}');
      otherwise = rest.list;
    } else if (body.end === 'chain') {
      const chained = pieces[next++] as Action;
      otherwise = [block(chained.tokens[0]!.text as 'if' | 'with', chained)];
    }
    variables.pop();
    return { kind, pipeline: head, body: body.list, otherwise };
  }

  function pipeline(tokens: Token[], at: number, context: string): Pipeline {
    const { declare, assign, length } = declarations(tokens);
    if (declare.length > 1 && context !== 'range') throw fail(at, `too many declarations in ${context}`);
    const commands: Pipeline['commands'] = [];
    let parts: Expression[] = [];
    let start = at;
    const finish = () => {
      if (parts.length === 0) throw fail(at, `missing value for ${context}`);
      if (commands.length > 0 && parts[0]!.kind === 'literal')
        throw fail(at, `non executable command in pipeline stage ${commands.length + 1}`);
      commands.push({ parts, at: start, source: parts.map(show).join(' ') });
      parts = [];
    };
    for (let index = length; index < tokens.length; index++) {
      const token = tokens[index]!;
      if (token.text === '|') {
        finish();
        continue;
      }
      if (parts.length === 0) start = token.at;
      if (token.text === '(') {
        const close = matching(tokens, index);
        if (close < 0) throw fail(token.at, 'unclosed left paren');
        const inner = pipeline(tokens.slice(index + 1, close), token.at, 'parenthesized pipeline');
        parts.push({ kind: 'pipeline', pipeline: inner });
        index = close;
      } else if (token.text.startsWith('.') && token.text.length > 1) field(parts, token);
      else parts.push(operand(token));
    }
    finish();
    if (!assign) variables.at(-1)!.push(...declare);
    return { commands, declare, assign };
  }

  function field(parts: Expression[], token: Token): void {
    const name = token.text.slice(1);
    const last = parts.at(-1);
    if (token.joined && last?.kind === 'fields') {
      // Go reports a chain of fields at the position of its second field.
      if (last.path.push(name) === 2) last.at = token.at;
      last.source += token.text;
    } else if (token.joined && (last?.kind === 'variable' || last?.kind === 'pipeline')) {
      parts[parts.length - 1] = {
        kind: 'fields',
        of: last,
        path: [name],
        at: token.at,
        source: show(last) + token.text,
      };
    } else parts.push({ kind: 'fields', of: undefined, path: [name], at: token.at, source: token.text });
  }

  function operand({ text: word, at }: Token): Expression {
    if (word === '.') return { kind: 'dot' };
    if (word.startsWith('$')) {
      if (!variables.some(scope => scope.includes(word))) throw fail(at, `undefined variable "${word}"`);
      return { kind: 'variable', name: word };
    }
    const literal = readLiteral(word);
    if (literal !== undefined) return { kind: 'literal', value: literal, source: word };
    if (!/^\w+$/.test(word)) throw fail(at, `unexpected "${word}" in operand`);
    return { kind: 'function', name: word, at };
  }

  return nodes(undefined).list;
}

/** '$k, $v :=' or '$v =' at the beginning of a pipeline; `length` counts its tokens. */
function declarations(tokens: Token[]): { declare: string[]; assign: boolean; length: number } {
  const name = /^\$\w+$/;
  const [first, second, third, fourth] = tokens.map(({ text }) => text);
  if (!name.test(first ?? '')) return { declare: [], assign: false, length: 0 };
  if (second === ':=' || second === '=') return { declare: [first!], assign: second === '=', length: 2 };
  if (second === ',' && name.test(third ?? '') && fourth === ':=')
    return { declare: [first!, third!], assign: false, length: 4 };
  return { declare: [], assign: false, length: 0 };
}

function readLiteral(word: string): string | number | boolean | null | undefined {
  if (word === 'true' || word === 'false') return word === 'true';
  if (word === 'nil') return null;
  if (word.startsWith('`')) return word.slice(1, -1);
  if (word.startsWith('"')) return unquote(word);
  if (word.startsWith("'")) return unquote(`"${word.slice(1, -1).replaceAll('"', '\\"')}"`).codePointAt(0);
  if (/^[-+]?\d/.test(word)) return Number(word);
  return undefined;
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

function unquote(quoted: string): string {
  const escapes = /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g;
  return quoted.slice(1, -1).replace(escapes, (_, code: string) => {
    if (/^[xuU]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]{3}$/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
    return ESCAPES[code] ?? code;
  });
}

/** The text in the template, for error messages. */
export function show(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
    case 'fields':
      return expression.source;
    case 'dot':
      return '.';
    case 'variable':
    case 'function':
      return expression.name;
    case 'pipeline':
      return `(${expression.pipeline.commands.map(each => each.source).join(' | ')})`;
  }
}

interface Action {
  at: number;
  tokens: Token[];
}

/** Text and actions, trimmed at {{- and -}}, without comments. */
function split(text: string, fail: (at: number, why: string) => FormatError): (string | Action)[] {
  const pieces: (string | Action)[] = [];
  let at = 0;
  let trimStart = false;
  const add = (piece: string) => pieces.push(trimStart ? piece.trimStart() : piece);
  for (;;) {
    const open = text.indexOf('{{', at);
    if (open < 0) {
      add(text.slice(at));
      return pieces;
    }
    const trimEnd = /^-\s/.test(text.slice(open + 2, open + 4));
    add(trimEnd ? text.slice(at, open).trimEnd() : text.slice(at, open));
    let position = open + 2 + (trimEnd ? 2 : 0);
    if (text.startsWith('/*', position)) {
      const end = text.indexOf('*/', position);
      if (end < 0) throw fail(open, 'unclosed comment');
      const close = /^(\s-)?\}\}/.exec(text.slice(end + 2));
      if (!close) throw fail(open, 'comment ends before closing delimiter');
      trimStart = close[1] !== undefined;
      at = end + 2 + close[0].length;
      continue;
    }
    const tokens: Token[] = [];
    for (let joined = false; ; ) {
      const close = /^(\s+-)?\}\}/.exec(text.slice(position, position + 40));
      if (close) {
        trimStart = close[1] !== undefined;
        at = position + close[0].length;
        break;
      }
      TOKEN.lastIndex = position;
      const word = TOKEN.exec(text)?.[0];
      if (word === undefined) throw fail(position, problemAt(text.slice(position)));
      if (word.trim() !== '') tokens.push({ text: word, at: position, joined });
      joined = word.trim() !== '' && /^[$.)]/.test(word);
      position += word.length;
    }
    pieces.push({ at: open, tokens });
  }
}

function problemAt(rest: string): string {
  if (rest === '' || rest.startsWith('{{')) return 'unclosed action';
  if (rest.startsWith('"')) return 'unterminated quoted string';
  if (rest.startsWith('`')) return 'unterminated raw quoted string';
  if (rest.startsWith("'")) return 'unterminated character constant';
  return `unexpected "${rest[0]}" in command`;
}

function matching(tokens: Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    if (tokens[index]!.text === '(') depth += 1;
    if (tokens[index]!.text === ')') depth -= 1;
    if (depth === 0) return index;
  }
  return -1;
}
