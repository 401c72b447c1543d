// Wildcards: '*', '?', '[a-z]' and, where paths are meant, '**'. Patterns come from Dockerfiles, requests and images, and
// so do the texts that they are matched with: all states of the match advance together, character by character
// (Thompson's simulation of an automaton), which takes time proportional to the text. A regular expression in JavaScript
// tries one way after the other instead, and '*a*a*a*a*b' has more ways through a row of a's than there is time.

import { FormatError } from './errors.ts';

export interface GlobDialect {
  /** What '*', '?' and '[…]' never stand for. */
  separator?: '/';
  /** '[a-z]' and '[^a-z]' (https://pkg.go.dev/path#Match); otherwise '[' is itself. */
  sets?: true;
  /** '**' stands for any number of directories, as in .dockerignore. */
  directories?: true;
}

export interface Glob {
  /** Whether it stands for the whole text. */
  matches(text: string): boolean;
  /** Whether it stands for the path or for a directory above it. */
  matchesPathOrParent(path: string): boolean;
  /** The length of the shortest or longest beginning that it stands for; undefined when there is none. */
  prefix(text: string, which: 'shortest' | 'longest'): number | undefined;
  /** The same for the end of the text. */
  suffix(text: string, which: 'shortest' | 'longest'): number | undefined;
  /** Puts `replacement` in the place of the first longest part that it stands for, or of every such part. */
  replace(text: string, replacement: string, which: 'first' | 'all'): string;
}

/** A state of the automaton: what it takes to get from it to the next one. */
interface State {
  accepts(character: string): boolean;
  /** Any number of such characters, also none. */
  repeats: boolean;
  /** So many states after this one may be left out. */
  skips: number;
}

/** Characters. The time that a match takes is proportional to the pattern's length, too. */
const LONGEST = 4096;

const anything = () => true;
const nothing = () => false;

/** @throws FormatError when the pattern is not valid */
export function compileGlob(pattern: string, dialect: GlobDialect = {}): Glob {
  const forward = parse(pattern, dialect);
  // Patterns with '**' are matched from the front only; others may be read backwards, state by state.
  const backward = forward.toReversed();
  return {
    matches: text => {
      let found = false;
      const characters = [...text];
      run(forward, characters, end => {
        found = end === characters.length;
        return true;
      });
      return found;
    },
    matchesPathOrParent: path => {
      let found = false;
      const characters = [...path];
      run(forward, characters, end => {
        found = end > 0 && (end === characters.length || characters[end] === '/');
        return !found;
      });
      return found;
    },
    prefix: (text, which) => longestOrShortest(forward, [...text], which),
    suffix: (text, which) => longestOrShortest(backward, [...text].reverse(), which),
    replace: (text, replacement, which) => {
      const characters = [...text];
      const pieces: string[] = [];
      let done = 0;
      while (done < characters.length) {
        const found = search(forward, characters, done);
        if (found === undefined) break;
        pieces.push(characters.slice(done, found.start).join(''), replacement);
        done = found.end;
        if (which === 'first') break;
      }
      return [...pieces, characters.slice(done).join('')].join('');
    },
  };
}

function parse(pattern: string, dialect: GlobDialect): State[] {
  const { separator, sets = false, directories = false } = dialect;
  const inside = separator === undefined ? anything : (character: string) => character !== separator;
  const characters = [...pattern];
  if (characters.length > LONGEST) throw new FormatError(`it is longer than ${LONGEST} characters`);
  const states: State[] = [];
  const one = (accepts: State['accepts']) => states.push({ accepts, repeats: false, skips: 0 });
  const many = (accepts: State['accepts'], skips = 0) => states.push({ accepts, repeats: true, skips });
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '\\') {
      const escaped = characters[++at];
      if (escaped === undefined) throw new FormatError('it ends with a backslash');
      one(each => each === escaped);
    } else if (character === '*' && directories && characters[at + 1] === '*') {
      at += characters[at + 2] === '/' ? 2 : 1;
      const isLast = at === characters.length - 1;
      if (!isLast) many(nothing, 2);
      many(anything);
      if (!isLast) one(each => each === '/');
    } else if (character === '*') {
      if (characters[at - 1] !== '*' || states.at(-1)?.repeats !== true) many(inside);
    } else if (character === '?') one(inside);
    else if (character === '[' && sets) {
      const set = parseSet(characters, at + 1);
      at = set.end;
      one(each => inside(each) && set.contains(each));
    } else one(each => each === character);
  }
  return states;
}

/** The characters between '[' and ']': single ones and ranges. `at` is behind the '['. */
function parseSet(characters: string[], at: number): { contains(character: string): boolean; end: number } {
  const isNegated = characters[at] === '^';
  const ranges: [low: string, high: string][] = [];
  let next = isNegated ? at + 1 : at;
  const take = () => {
    if (characters[next] === '\\') next += 1;
    const taken = characters[next++];
    if (taken === undefined) throw new FormatError("the ']' of a '[' is missing");
    return taken;
  };
  do {
    if (characters[next] === '-' || characters[next] === ']')
      throw new FormatError("a '[…]' is not well-formed");
    const low = take();
    let high = low;
    if (characters[next] === '-') {
      next += 1;
      if (characters[next] === ']') throw new FormatError("a '[…]' is not well-formed");
      high = take();
    }
    ranges.push([low, high]);
  } while (characters[next] !== ']');
  const order = (character: string) => character.codePointAt(0)!;
  const isIn = (character: string) =>
    ranges.some(([low, high]) => order(low) <= order(character) && order(character) <= order(high));
  return { contains: character => isIn(character) !== isNegated, end: next };
}

/** Goes on without a character where that is possible: over '*' and over what may be left out. */
function settle(states: State[], reached: Int32Array): void {
  for (const [at, { repeats, skips }] of states.entries()) {
    if (reached[at] === NOT || !repeats) continue;
    earliest(reached, at + 1, reached[at]!);
    if (skips > 0) earliest(reached, at + 1 + skips, reached[at]!);
  }
}

const NOT = -1;

/** A state that is reached from several places in the text counts from the first. */
function earliest(reached: Int32Array, at: number, start: number): void {
  const now = reached[at]!;
  if (now === NOT || start < now) reached[at] = start;
}

function advance(states: State[], reached: Int32Array, character: string): Int32Array {
  const next = new Int32Array(states.length + 1).fill(NOT);
  for (const [at, { accepts, repeats }] of states.entries()) {
    const start = reached[at]!;
    if (start !== NOT && accepts(character)) earliest(next, repeats ? at : at + 1, start);
  }
  return next;
}

/** Calls `onEnd` with each place where a match that begins at the front may end, until it answers false. */
function run(states: State[], characters: string[], onEnd: (end: number) => boolean): void {
  let reached: Int32Array = new Int32Array(states.length + 1).fill(NOT);
  reached[0] = 0;
  for (let at = 0; ; at++) {
    settle(states, reached);
    if (reached[states.length] !== NOT && !onEnd(at)) return;
    if (at === characters.length || reached.every(each => each === NOT)) return;
    reached = advance(states, reached, characters[at]!);
  }
}

function longestOrShortest(
  states: State[],
  characters: string[],
  which: 'shortest' | 'longest',
): number | undefined {
  let found: number | undefined;
  run(states, characters, end => {
    found = end;
    return which === 'longest';
  });
  return found === undefined ? undefined : characters.slice(0, found).join('').length;
}

/** The match that begins first, and of those the longest; never an empty one. */
function search(
  states: State[],
  characters: string[],
  from: number,
): { start: number; end: number } | undefined {
  let found: { start: number; end: number } | undefined;
  let reached: Int32Array = new Int32Array(states.length + 1).fill(NOT);
  for (let at = from; ; at++) {
    if (found === undefined) earliest(reached, 0, at);
    settle(states, reached);
    const start = reached[states.length]!;
    if (start !== NOT && start < at && (found === undefined || start <= found.start))
      found = { start, end: at };
    // Matches that begin later than one that is complete do not count any more.
    if (found !== undefined) {
      const { start: first } = found;
      reached = reached.map(each => (each > first ? NOT : each));
      if (reached.every(each => each === NOT)) return found;
    }
    if (at === characters.length) return found;
    reached = advance(states, reached, characters[at]!);
  }
}
