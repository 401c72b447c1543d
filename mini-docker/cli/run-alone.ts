// `run` in the place of commands.ts, for a bundle of its own (bin/setup): the command that must start fastest reads a quarter of
// the code.

import type { Entry } from './command.ts';
import type { FlagTable } from './flags/flags.ts';
import { RUN } from './run/table.ts';

export const COMMANDS: Readonly<Record<string, Entry>> = RUN;
export const GROUPS: Readonly<Record<string, string>> = {};
export const GROUP_FLAGS: Readonly<Record<string, () => Promise<FlagTable>>> = {};

export const findCommand = (name: string): Entry | undefined => COMMANDS[name];
export const commandsOf = (): { name: string; summary: string }[] => [];
