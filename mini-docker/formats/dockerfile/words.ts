// Words of a Dockerfile: quotes, the escape character, and variables with their operators, under the rules of
// https://docs.docker.com/reference/dockerfile/#environment-replacement, which are those of sh(1) but for commands.
import { SyntaxProblem } from './error.ts';

export interface Expansion {
  /** '\' or '`': what the directive `escape` says. */
  escape: string;
  /** The value of a variable; undefined when it is not set. */
  lookup(name: string): string | undefined;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?\-$!]/y;
const BLANK = /\s/;

/** Splits at blanks outside of quotes; the words keep their quotes and escapes. `sign` is the escape character. */
export function splitWords(text: string, sign: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote === '' && BLANK.test(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    word += character;
    if (character === sign && quote !== "'" && at + 1 < text.length) word += text[++at];
    else if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
  }
  if (word !== '') words.push(word);
  return words;
}

/** Takes quotes and escapes away and puts in what variables stand for. Throws SyntaxProblem. */
export function expand(text: string, expansion: Expansion): string {
  return new Expander(text, expansion).all().join('');
}

/** The same, and blanks that are not quoted, also in the values of variables, separate words. Throws SyntaxProblem. */
export function expandWords(text: string, expansion: Expansion): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const piece of new Expander(text, expansion).all()) {
    if (piece instanceof Quoted) {
      word = (word ?? '') + piece.text;
      continue;
    }
    for (const part of piece.split(/(\s+)/)) {
      if (part === '') continue;
      if (!BLANK.test(part)) word = (word ?? '') + part;
      else if (word !== undefined) {
        words.push(word);
        word = undefined;
      }
    }
  }
  return word === undefined ? words : [...words, word];
}

/** What stood in quotes: its blanks separate nothing. */
class Quoted {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

class Expander {
  readonly #text: string;
  readonly #expansion: Expansion;
  #at = 0;

  constructor(text: string, expansion: Expansion) {
    this.#text = text;
    this.#expansion = expansion;
  }

  all(): (string | Quoted)[] {
    return this.#until('');
  }

  /** Up to the character `end`, which is consumed, or to the end of the text when it is ''. */
  #until(end: string): (string | Quoted)[] {
    const pieces: (string | Quoted)[] = [];
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]!;
      if (character === end) {
        this.#at++;
        return pieces;
      }
      if (character === "'") pieces.push(this.#single());
      else if (character === '"') pieces.push(this.#double());
      else if (character === '$') pieces.push(this.#variable());
      else if (character === this.#expansion.escape) {
        this.#at++;
        // At the very end it stands for nothing.
        if (this.#at < this.#text.length) pieces.push(new Quoted(this.#text[this.#at++]!));
      } else {
        pieces.push(character);
        this.#at++;
      }
    }
    if (end !== '') throw new SyntaxProblem(`a variable's closing ${end} is missing`);
    return pieces;
  }

  #single(): Quoted {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new SyntaxProblem("the closing single quote (') is missing");
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return new Quoted(text);
  }

  #double(): Quoted {
    const { escape: sign } = this.#expansion;
    let text = '';
    for (this.#at++; this.#at < this.#text.length; ) {
      const character = this.#text[this.#at]!;
      if (character === '"') {
        this.#at++;
        return new Quoted(text);
      }
      if (character === '$') {
        text += this.#variable();
        continue;
      }
      const next = this.#text[this.#at + 1];
      // Before any other character the escape is itself.
      const escapes = character === sign && (next === '"' || next === '$' || next === sign);
      text += escapes ? next : character;
      this.#at += escapes ? 2 : 1;
    }
    throw new SyntaxProblem('the closing double quote (") is missing');
  }

  #variable(): string {
    this.#at++;
    if (this.#text[this.#at] === '{') return this.#braced();
    const name = this.#name();
    return name === '' ? '$' : (this.#expansion.lookup(name) ?? '');
  }

  #name(): string {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#text)?.[0] ?? '';
    this.#at += name.length;
    return name;
  }

  #braced(): string {
    const start = this.#at - 1;
    const shown = () => JSON.stringify(this.#text.slice(start, start + 40));
    this.#at++;
    const name = this.#name();
    if (name === '') throw new SyntaxProblem(`a variable's name is missing in ${shown()}`);
    const value = this.#expansion.lookup(name);
    const operator = /(?::[-+?])|[-+?}]|##?|%%?|\/\/?/y;
    operator.lastIndex = this.#at;
    const found = operator.exec(this.#text)?.[0];
    if (found === undefined) {
      const missing = this.#at >= this.#text.length;
      throw new SyntaxProblem(
        missing ? `the closing } is missing in ${shown()}` : `unsupported modifier in ${shown()}`,
      );
    }
    this.#at += found.length;
    if (found === '}') return value ?? '';
    if (found.startsWith('/')) {
      const pattern = this.#until('/').join('');
      const replacement = this.#until('}').join('');
      return replaceGlob(value ?? '', { pattern, replacement, all: found === '//' });
    }
    const word = this.#until('}').join('');
    if (/^[#%]/.test(found)) return trimGlob(value ?? '', found as '#', word);
    const isSet = value !== undefined && (value !== '' || !found.startsWith(':'));
    if (found.endsWith('+')) return isSet ? word : '';
    if (isSet) return value;
    if (found.endsWith('-')) return word;
    throw new SyntaxProblem(word === '' ? `the variable ${name} is not set` : `${name}: ${word}`);
  }
}

/** A pattern of the shell: '*' and '?' stand for anything. */
function globSource(pattern: string, { lazy }: { lazy: boolean }): string {
  return pattern.replace(/\\(.)|[\s\S]/g, (character, escaped: string | undefined) => {
    if (escaped === undefined && character === '*') return lazy ? '[^]*?' : '[^]*';
    if (escaped === undefined && character === '?') return '[^]';
    return (escaped ?? character).replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
}

function trimGlob(value: string, operator: '#' | '##' | '%' | '%%', pattern: string): string {
  const lazy = operator.length === 1;
  if (operator.startsWith('#')) return value.replace(new RegExp(`^${globSource(pattern, { lazy })}`), '');
  // A regular expression finds the leftmost match: what is kept in front of the shortest tail must be the longest.
  const kept = lazy ? '[^]*' : '[^]*?';
  const match = new RegExp(`^(${kept})${globSource(pattern, { lazy })}$`).exec(value);
  return match?.[1] ?? value;
}

function replaceGlob(
  value: string,
  { pattern, replacement, all }: { pattern: string; replacement: string; all: boolean },
): string {
  if (pattern === '') return value;
  return value.replace(new RegExp(globSource(pattern, { lazy: false }), all ? 'g' : ''), () => replacement);
}
