// A command of the runtime as data: its words of usage, its options, and what it does.
import type { ParseArgsOptionsConfig } from 'node:util';

export interface GlobalOptions {
  root: string;
  systemdCgroup: boolean;
}

export interface Option {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: boolean;
  /** One line for the help. */
  help: string;
  /** The name of its value in the help. */
  value?: string;
}

export interface Invocation {
  options: Record<string, string | boolean | (string | boolean)[] | undefined>;
  args: string[];
  globals: GlobalOptions;
}

export interface Command {
  /** '<container-id>' */
  args: string;
  summary: string;
  /** Least and largest number of arguments. */
  count: [number, number];
  options: Record<string, Option>;
  /** Whether everything behind the first argument belongs to a program. */
  takesProgram?: true;
  /** @returns the exit code */
  run(invocation: Invocation): number | Promise<number>;
}

export function optionsConfig(options: Record<string, Option>): ParseArgsOptionsConfig {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short && { short }), ...(multiple && { multiple }) },
    ]),
  );
}

/** The option's value, if it was given. */
export function text({ options }: Invocation, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function texts({ options }: Invocation, name: string): string[] {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

export function flag({ options }: Invocation, name: string): boolean {
  return options[name] === true;
}
