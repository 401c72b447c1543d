// Wildcards: '*', '?', '[a-z]' and, in paths, '**'. Both the patterns and the texts come from Dockerfiles, requests and
// images, which may be hostile. So all states of a match advance together, character by character (Thompson's simulation
// of an automaton), in time proportional to the text. A regular expression in JavaScript would try the alternatives one
// after the other, and '*a*a*a*a*b' has an exponential number of them in a row of a's.

import { FormatError } from './errors.ts';

export interface GlobDialect {
  /** The character that '*', '?' and '[…]' never match. */
  separator?: '/';
  /** Whether '[a-z]' and '[^a-z]' are sets (https://pkg.go.dev/path#Match); otherwise '[' matches itself. */
  sets?: true;
  /** Whether '**' matches any number of directories, as in .dockerignore. */
  directories?: true;
}

export interface Glob {
  /** Whether the pattern matches the whole text. */
  matches(text: string): boolean;
  /** Whether the pattern matches the path or a directory above it. */
  matchesPathOrParent(path: string): boolean;
  /** Length of the shortest or longest prefix that the pattern matches; undefined when it matches none. */
  prefix(text: string, which: 'shortest' | 'longest'): number | undefined;
  /** Length of the shortest or longest suffix that the pattern matches; undefined when it matches none. */
  suffix(text: string, which: 'shortest' | 'longest'): number | undefined;
  /** Replaces the first match, as long as possible, or every match. */
  replace(text: string, replacement: string, which: 'first' | 'all'): string;
}

/** A state of the automaton, with the condition for the step to the next state. */
interface State {
  accepts(character: string): boolean;
  /** Whether the state accepts any number of such characters, including none. */
  repeats: boolean;
  /** Number of states after this one that may be skipped. */
  skips: number;
}

/** Limit on a pattern, in characters: the time for a match is proportional to the pattern's length, too. */
const LONGEST = 4096;

const anything = () => true;
const nothing = () => false;

/** @throws FormatError when the pattern is not valid */
export function compileGlob(pattern: string, dialect: GlobDialect = {}): Glob {
  const forward = parse(pattern, dialect);
  // Suffixes are matched backwards, which patterns with '**' do not support.
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

/** The characters and ranges between '[' and ']'. `at` is the index after the '['. */
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

/** Advances past '*' and past states that may be skipped, which takes no character. */
function settle(states: State[], reached: Int32Array): void {
  for (const [at, { repeats, skips }] of states.entries()) {
    if (reached[at] === NOT || !repeats) continue;
    earliest(reached, at + 1, reached[at]!);
    if (skips > 0) earliest(reached, at + 1 + skips, reached[at]!);
  }
}

const NOT = -1;

/** Keeps, for a state that several matches have reached, the earliest start among them. */
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

/** Calls `onEnd` with each index at which a match that begins at 0 can end, until `onEnd` returns false. */
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

/** The longest of the matches that begin first; never an empty one. */
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
    // Once a match is complete, matches that begin later are dropped.
    if (found !== undefined) {
      const { start: first } = found;
      reached = reached.map(each => (each > first ? NOT : each));
      if (reached.every(each => each === NOT)) return found;
    }
    if (at === characters.length) return found;
    reached = advance(states, reached, characters[at]!);
  }
}
