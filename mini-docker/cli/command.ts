// What a command is: data that the command line, the help and the completion read, and what it does.

import type { DaemonClient } from './daemon/client.ts';
import type { FlagTable, FlagValues } from './flags/flags.ts';

export interface Command<F extends FlagTable> {
  /** Behind the command's name: '[OPTIONS] CONTAINER [CONTAINER...]'. */
  usage: string;
  /** One line for lists of commands is in commands.ts; this is what its own help adds. */
  description?: string;
  flags: F;
  /** How many arguments; `most` is any number when missing. */
  least: number;
  most?: number;
  /** The first argument ends the flags: what follows is a command for the container. */
  passThrough?: boolean;
  examples: readonly (readonly [command: string, meaning: string])[];
  /** Resolves with the exit code, nothing for 0. Rejects with an error of errors.ts. */
  run(invocation: Invocation<F>): Promise<number | undefined>;
}

export interface Invocation<F extends FlagTable> {
  flags: FlagValues<F>;
  /** Flags that the user wrote, whatever their value. */
  given: ReadonlySet<string>;
  args: string[];
  daemon: DaemonClient;
  /** 'run', 'network ls': as the user wrote it. */
  name: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds commands with flags of every type
export type AnyCommand = Command<any>;

/** Gives `run` the types of its flags. */
export const command = <F extends FlagTable>(definition: Command<F>): Command<F> => definition;

/** A command before its module is loaded. */
export interface Entry {
  /** The line that lists it. */
  summary: string;
  load(): Promise<AnyCommand>;
}

export interface CommandTable {
  /** 'run', 'network ls', other names of the same command among them; sorted. */
  names: readonly string[];
  /** Name and summary of each group of commands. */
  groups: Readonly<Record<string, string>>;
  find(name: string): Entry | undefined;
  /** Names behind a group's, or those of commands without a group. */
  inGroup(group: string | undefined): { name: string; summary: string }[];
}
