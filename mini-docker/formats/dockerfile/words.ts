// Words of a Dockerfile: quotes, the escape character, and variables with their operators, under the rules of
// https://docs.docker.com/reference/dockerfile/#environment-replacement, which are those of sh(1) but for commands.
import { FormatError } from '../errors.ts';
import { compileGlob, type Glob } from '../glob.ts';
import { DockerfileSyntaxError } from './error.ts';

export interface Expansion {
  /** Escape character, '\' or '`', from the directive `escape`. */
  escape: string;
  /** The value of a variable; undefined when it is not set. */
  lookup(name: string): string | undefined;
  /** True when quotes are ordinary characters, as in a here-document. */
  plainQuotes?: boolean;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?\-$!]/y;
const BLANK = /\s/;

/**
 * Characters that variables may put into one text: `ENV a=$a$a$a$a` doubles twice with each line. No program takes more
 * than 128 KiB in one variable (execve(2), MAX_ARG_STRLEN).
 */
const LARGEST = 1 << 20;

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

/**
 * Removes quotes and escapes, and expands variables.
 * @throws DockerfileSyntaxError when the text is not valid
 */
export function expand(text: string, expansion: Expansion): string {
  return new Expander(text, expansion).all().join('');
}

/**
 * Expands variables in the lines of a here-document, as sh(1) does: quotes stay, and the escape character
 * escapes only '$' and itself.
 * @throws DockerfileSyntaxError when the text is not valid
 */
export function expandDocument(text: string, expansion: Expansion): string {
  return expand(text, { ...expansion, plainQuotes: true });
}

/**
 * expand(), then splits at unquoted blanks, even those in values.
 * @throws DockerfileSyntaxError when the text is not valid
 */
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

/** Quoted text, whose blanks do not separate words. */
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
  /** Number of characters that variables have inserted. */
  #added = 0;

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
      const { escape: sign, plainQuotes = false } = this.#expansion;
      const next = this.#text[this.#at + 1];
      const isEscape = character === sign && (!plainQuotes || next === '$' || next === sign);
      if (character === "'" && !plainQuotes) pieces.push(this.#single());
      else if (character === '"' && !plainQuotes) pieces.push(this.#double());
      else if (character === '$') pieces.push(this.#variable());
      else if (isEscape) {
        this.#at++;
        // At the very end it stands for nothing.
        if (this.#at < this.#text.length) pieces.push(new Quoted(this.#text[this.#at++]!));
      } else {
        pieces.push(character);
        this.#at++;
      }
    }
    if (end !== '') throw new DockerfileSyntaxError(`a variable's closing ${end} is missing`);
    return pieces;
  }

  #single(): Quoted {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new DockerfileSyntaxError("the closing single quote (') is missing");
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
    throw new DockerfileSyntaxError('the closing double quote (") is missing');
  }

  #variable(): string {
    const value = this.#value();
    this.#added += value.length;
    if (this.#added > LARGEST)
      throw new DockerfileSyntaxError(`its variables stand for more than ${LARGEST} characters`);
    return value;
  }

  #value(): string {
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
    if (name === '') throw new DockerfileSyntaxError(`a variable's name is missing in ${shown()}`);
    const value = this.#expansion.lookup(name);
    const operator = /(?::[-+?])|[-+?}]|##?|%%?|\/\/?/y;
    operator.lastIndex = this.#at;
    const found = operator.exec(this.#text)?.[0];
    if (found === undefined) {
      const missing = this.#at >= this.#text.length;
      throw new DockerfileSyntaxError(
        missing ? `the closing } is missing in ${shown()}` : `unsupported modifier in ${shown()}`,
      );
    }
    this.#at += found.length;
    if (found === '}') return value ?? '';
    if (found.startsWith('/')) {
      const pattern = patternOf(this.#until('/'));
      const replacement = this.#until('}').join('');
      return compile(pattern).replace(value ?? '', replacement, found === '//' ? 'all' : 'first');
    }
    const pieces = this.#until('}');
    if (/^[#%]/.test(found)) return trim(value ?? '', found as '#', patternOf(pieces));
    const word = pieces.join('');
    const isSet = value !== undefined && (value !== '' || !found.startsWith(':'));
    if (found.endsWith('+')) return isSet ? word : '';
    if (isSet) return value;
    if (found.endsWith('-')) return word;
    throw new DockerfileSyntaxError(word === '' ? `the variable ${name} is not set` : `${name}: ${word}`);
  }
}

/** A pattern in which quoted and escaped characters are not wildcards. */
const patternOf = (pieces: (string | Quoted)[]): string =>
  pieces.map(piece => (piece instanceof Quoted ? piece.text.replace(/[\\*?]/g, '\\$&') : piece)).join('');

function compile(pattern: string): Glob {
  try {
    return compileGlob(pattern);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new DockerfileSyntaxError(
      `the pattern ${JSON.stringify(pattern.slice(0, 40))} is wrong: ${cause.message}`,
      {
        cause,
      },
    );
  }
}

function trim(value: string, operator: '#' | '##' | '%' | '%%', pattern: string): string {
  const which = operator.length === 1 ? 'shortest' : 'longest';
  const glob = compile(pattern);
  if (operator.startsWith('#')) return value.slice(glob.prefix(value, which) ?? 0);
  return value.slice(0, value.length - (glob.suffix(value, which) ?? 0));
}
