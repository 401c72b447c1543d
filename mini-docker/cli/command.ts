// A command as data, which the command line, the help and the completion read, with the function that runs
// it.

import type { DaemonClient } from './daemon/client.ts';
import type { FlagTable, FlagValues } from './flags/flags.ts';

export interface Command<F extends FlagTable> {
  /** The usage after the command's name: '[OPTIONS] CONTAINER [CONTAINER...]'. */
  usage: string;
  /** The paragraph that its own help adds to the summary in commands.ts. */
  description?: string;
  flags?: F;
  /** Number of arguments, where the usage does not say it; without an upper limit when `most` is missing. */
  count?: readonly [least: number, most?: number];
  /** Whether the first argument ends the flags: the rest is a command for the container. */
  passThrough?: boolean;
  examples: readonly (readonly [command: string, meaning: string])[];
  /** Resolves with the exit code, or nothing for 0. Rejects with an error of errors.ts. */
  run(invocation: Invocation<F>): Promise<number | undefined>;
}

export interface Invocation<F extends FlagTable> {
  flags: FlagValues<F>;
  /** Names of the flags that the user gave, with any value. */
  given: ReadonlySet<string>;
  args: string[];
  /** Flags between the name of the command's group and its own: `compose -f FILE up`. Empty where the group has none. */
  group: Readonly<Record<string, unknown>>;
  daemon: DaemonClient;
  /** The command's name as the user wrote it: 'run', 'network ls'. */
  name: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds commands with flags of every type
export type AnyCommand = Command<any>;

/** Infers the types of `run`'s flags. */
export const command = <F extends FlagTable>(definition: Command<F>): Command<F> => definition;

/** Numbers of arguments: in a usage, a word in brackets may be missing, and dots stand for any number. */
export function argumentCount({ usage, count }: Pick<AnyCommand, 'usage' | 'count'>): [number, number] {
  if (count !== undefined) return [count[0], count[1] ?? Number.POSITIVE_INFINITY];
  const words = usage.replace('[OPTIONS]', '').match(/\[([^[\]]|\[[^\]]*\])*\]|\S+/g) ?? [];
  const least = words.filter(word => !word.startsWith('[')).length;
  return [least, usage.includes('...') ? Number.POSITIVE_INFINITY : words.length];
}

/** A command whose module is not loaded yet. */
export interface Entry {
  /** Its line in lists of commands. */
  summary: string;
  load(): Promise<AnyCommand>;
}

/** 'network ls' → 'networkLs'; 'compose up' → 'up' */
const exportOf = (name: string) =>
  name.replace(/^compose /, '').replace(/ ./g, letter => letter.slice(1).toUpperCase());

/** The commands that a module exports, by name with their summaries. */
export function commandsIn(
  load: () => Promise<object>,
  summaries: Readonly<Record<string, string>>,
): Record<string, Entry> {
  const entry = (name: string) => async () => Reflect.get(await load(), exportOf(name)) as AnyCommand;
  return Object.fromEntries(
    Object.entries(summaries).map(([name, summary]) => [name, { summary, load: entry(name) }]),
  );
}

export interface CommandTable {
  /** All names, sorted, including other names of the same command: 'run', 'network ls'. */
  names: readonly string[];
  /** Name and summary of each group of commands. */
  groups: Readonly<Record<string, string>>;
  find(name: string): Entry | undefined;
  /** The names in a group, or those of commands without a group. */
  inGroup(group: string | undefined): { name: string; summary: string }[];
}
