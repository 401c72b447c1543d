// A command of the runtime as data: its words of usage, its options, and what it does.
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
}

export const value = (help: string, short?: string): Option => ({
  type: 'string',
  help,
  ...(short && { short }),
});
/** An option that may be given several times. */
export const values = (help: string, short?: string): Option => ({ ...value(help, short), multiple: true });
export const toggle = (help: string, short?: string): Option => ({ ...value(help, short), type: 'boolean' });

export interface Invocation {
  options: Record<string, string | boolean | string[] | undefined>;
  args: string[];
  globals: GlobalOptions;
}

export interface Command {
  /** '<container-id>' */
  args: string;
  summary: string;
  /** Least number of arguments, where `args` does not say it. */
  least?: number;
  options?: Record<string, Option>;
  /** Whether everything behind the first argument belongs to a program. */
  takesProgram?: true;
  /** @returns the exit code, or nothing for 0 */
  run(invocation: Invocation): number | undefined | Promise<number | undefined>;
}

/** Least and largest number of arguments: a word in brackets may be missing. */
export function argumentCount({ args, least, takesProgram }: Command): [number, number] {
  const words = args.match(/\[[^\]]*\]|\S+/g) ?? [];
  const needed = words.filter(word => !word.startsWith('['));
  return [least ?? needed.length, takesProgram ? Number.POSITIVE_INFINITY : words.length];
}

/** The option's value, if it was given. */
export function text({ options }: Invocation, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function texts({ options }: Pick<Invocation, 'options'>, name: string): string[] {
  const value = options[name];
  return Array.isArray(value) ? value : [];
}

export function flag({ options }: Invocation, name: string): boolean {
  return options[name] === true;
}
