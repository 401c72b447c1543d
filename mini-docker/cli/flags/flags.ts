// Parses flags by the rules and with the messages of Docker's command line (Go's pflag): -itd together,
// -p80:80, --flag=value, --rm=false, flags between arguments, `--` before arguments. commander supports
// neither --rm=false nor these messages, and loading it takes a fifth of the time that `run` may take; it
// only prints the help (help.ts).

import { splitAt } from '../../formats/split.ts';

export interface Flag<T> {
  /** The short form: one letter. */
  short?: string;
  /** Placeholder of the value in the help; a flag without one is a switch. */
  placeholder?: string;
  help: string;
  /** Left out of the help, like another name of the same flag. */
  hidden?: boolean;
  initial: T;
  /** Adds one value. @throws Error when it is invalid */
  take(text: string, before: T): T;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds flags of every type; FlagValues gives each its own back
export type FlagTable = Readonly<Record<string, Flag<any>>>;

export type FlagValues<F extends FlagTable> = { [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

export class FlagError extends Error {
  override name = 'FlagError';
  /** The name of an unknown flag. */
  readonly unknown: string | undefined;

  constructor(message: string, unknown?: string) {
    super(message);
    this.unknown = unknown;
  }
}

export class HelpError extends Error {
  override name = 'HelpError';
}

export interface Parsed<F extends FlagTable> {
  flags: FlagValues<F>;
  /** Names of the flags that were given, with any value. */
  given: Set<string>;
  args: string[];
}

/**
 * Splits an argument vector. With `interspersed` false the first argument ends the flags, so that those of
 * `run IMAGE COMMAND --flag` reach the command.
 * @throws FlagError when a flag is invalid, HelpError when --help is given
 */
export function parseFlags<F extends FlagTable>(
  table: F,
  argv: readonly string[],
  { interspersed = true }: { interspersed?: boolean } = {},
): Parsed<F> {
  const values: Record<string, unknown> = {};
  for (const name in table) values[name] = table[name]!.initial;
  const given = new Set<string>();
  const args: string[] = [];

  const set = (name: string, text: string) => {
    const flag = table[name]!;
    try {
      values[name] = flag.take(text, given.has(name) ? values[name] : flag.initial);
    } catch (cause) {
      throw new FlagError(
        `invalid argument ${JSON.stringify(text)} for "${flagName(name, flag)}" flag: ${(cause as Error).message}`,
      );
    }
    given.add(name);
  };

  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      args.push(...argv.slice(at + 1));
      break;
    }
    if (word.length < 2 || !word.startsWith('-')) {
      if (!interspersed) {
        args.push(...argv.slice(at));
        break;
      }
      args.push(word);
      continue;
    }
    if (word.startsWith('--')) {
      const [name, inWord] = splitAt(word.slice(2), '=');
      if (name === '' || name.startsWith('-')) throw new FlagError(`bad flag syntax: ${word}`);
      if (!Object.hasOwn(table, name)) {
        if (name === 'help') throw new HelpError();
        throw new FlagError(`unknown flag: --${name}`, name);
      }
      if (inWord !== undefined) set(name, inWord);
      else if (table[name]!.placeholder === undefined) set(name, 'true');
      else if (at + 1 < argv.length) set(name, argv[++at]!);
      else throw new FlagError(`flag needs an argument: --${name}`);
      continue;
    }
    at = takeShort(word, at);
  }
  return { flags: values as FlagValues<F>, given, args };

  /** Parses a word of one-letter flags; the last one's value may be the rest of the word or the next word. */
  function takeShort(word: string, at: number): number {
    for (let letter = 1; letter < word.length; letter++) {
      const short = word[letter]!;
      const name = Object.keys(table).find(each => table[each]!.short === short);
      if (name === undefined) {
        if (short === 'h') throw new HelpError();
        throw new FlagError(`unknown shorthand flag: '${short}' in ${word}`);
      }
      const rest = word.slice(letter + 1);
      if (table[name]!.placeholder === undefined && !rest.startsWith('=')) {
        set(name, 'true');
        continue;
      }
      if (rest !== '') set(name, rest.replace(/^=/, ''));
      else if (at + 1 < argv.length) set(name, argv[++at]!);
      else throw new FlagError(`flag needs an argument: '${short}' in ${word}`);
      break;
    }
    return at;
  }
}

/** '-m, --memory' */
export const flagName = (name: string, flag: { short?: string }): string =>
  flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;

/** A switch that is off by default. */
export const toggle = (help: string, short?: string): Flag<boolean> => ({
  ...(short === undefined ? {} : { short }),
  help,
  initial: false,
  take: readBoolean,
});

/** A switch that is on by default: --sig-proxy=false turns it off. */
export const toggleOff = (help: string): Flag<boolean> => ({ help, initial: true, take: readBoolean });

/** A switch that distinguishes absent from off. */
export const toggleMaybe = (help: string): Flag<boolean | undefined> => ({
  help,
  initial: undefined,
  take: readBoolean,
});

export const text = (placeholder: string, help: string, short?: string): Flag<string | undefined> =>
  value(placeholder, help, each => each, short);

/** A flag that may be repeated. */
export const list = (placeholder: string, help: string, short?: string): Flag<string[]> =>
  values(placeholder, help, each => each, short);

export const integer = (placeholder: string, help: string, short?: string): Flag<number | undefined> =>
  value(placeholder, help, readInteger, short);

/** A flag with one value, decoded by `read`; undefined when it is not given. */
export const value = <T>(
  placeholder: string,
  help: string,
  read: (text: string) => T,
  short?: string,
): Flag<T | undefined> => ({
  ...(short === undefined ? {} : { short }),
  placeholder,
  help,
  initial: undefined,
  take: read,
});

/** A flag with several values, each decoded by `read`. */
export const values = <T>(
  placeholder: string,
  help: string,
  read: (text: string) => T,
  short?: string,
): Flag<T[]> => ({
  ...(short === undefined ? {} : { short }),
  placeholder,
  help,
  initial: [],
  take: (each, before) => [...before, read(each)],
});

function readBoolean(text: string): boolean {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function readInteger(text: string): number {
  const number = Number(text);
  if (!/^[-+]?\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return number;
}
