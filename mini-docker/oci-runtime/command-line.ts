// The command line: options before the command are for all commands, and every command is a module that is
// loaded when it is needed.

import { resolve } from 'node:path';
import { VERSION } from '../formats/program-version.ts';
import {
  argumentCount,
  type Command,
  type Invocation,
  type Option,
  texts,
  toggle,
  value,
} from './command.ts';
import { COMMANDS, type CommandName } from './commands.ts';
import { type LogOptions, logError } from './log.ts';

const NAME = 'mini-docker-runtime';

const GLOBALS: Record<string, Option> = {
  debug: toggle('enable debug logging'),
  log: value("set the log file (default is '/dev/stderr')"),
  'log-format': value("set the log format ('text' (default), or 'json')"),
  root: value('root directory for storage of container state'),
  criu: value('ignored: this runtime makes no checkpoints'),
  'systemd-cgroup': toggle('not supported: control groups are made in the file system'),
  rootless: value('ignored: errors of control groups are, for users without rights to them'),
  help: toggle('show help', 'h'),
  version: toggle('print the version', 'v'),
};

/** A mistake in the command line, which is answered with the command's usage. */
class UsageError extends Error {}

export async function runCommandLine(argv: string[]): Promise<number> {
  const log: LogOptions = { format: 'text' };
  try {
    return await dispatch(argv, log);
  } catch (error) {
    logError(log, (error as Error).message);
    return (error as { exitCode?: number }).exitCode ?? 1;
  }
}

async function dispatch(argv: string[], log: LogOptions): Promise<number> {
  const { options: values, rest } = parse(argv, GLOBALS, { stops: true });
  if (typeof values.log === 'string') log.log = values.log;
  const format = values['log-format'] ?? 'text';
  if (format !== 'text' && format !== 'json') throw new Error(`invalid log-format: ${format}`);
  log.format = format;
  const [name, ...args] = rest;
  if (values.version === true) return say(`${NAME} version ${VERSION}\nspec: 1.2.0\n`);
  if (name === undefined || name === 'help' || name === 'h' || values.help === true) return say(help());
  if (!Object.hasOwn(COMMANDS, name)) {
    const isOfCriu = name === 'checkpoint' || name === 'restore';
    // Also for --help, by which podman learns what a runtime can do.
    const why = `${NAME} makes and restores no checkpoints (runc does, with criu); nothing was changed`;
    logError(log, isOfCriu ? why : `No help topic for '${name}'`);
    return 3;
  }
  const { command } = await COMMANDS[name as CommandName]();
  if (args.includes('--help') && !command.takesProgram) return say(usage(name, command));
  let invocation: Pick<Invocation, 'options' | 'args'>;
  try {
    invocation = parsed(command, name, args);
  } catch (error) {
    say(`Incorrect Usage.\n\n${usage(name, command)}`);
    throw error;
  }
  const globalOptions = {
    root: resolve(String(values.root ?? defaultRoot())),
    systemdCgroup: values['systemd-cgroup'] === true,
  };
  return (await command.run({ ...invocation, globals: globalOptions })) ?? 0;
}

/**
 * Options as Go's programs take them: long ones with one dash or two, a value as the next word or behind '=', and
 * true and false for those that need none. node:util's parseArgs would not, and takes 2 ms of each start.
 * @param stops whether the first word that is no option ends them
 */
function parse(argv: string[], known: Record<string, Option>, { stops }: { stops: boolean }) {
  const options: Invocation['options'] = {};
  const rest: string[] = [];
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') return { options, rest: [...rest, ...words] };
    const [, given = '', inline] = /^--?([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (given === '') {
      if (stops) return { options, rest: [word, ...words] };
      rest.push(word);
      continue;
    }
    const name = nameOf(given, known);
    if (name === undefined) throw new UsageError(`flag provided but not defined: -${given}`);
    const { type, multiple } = known[name]!;
    const text = inline ?? (type === 'boolean' ? 'true' : words.shift());
    if (text === undefined) throw new UsageError(`flag needs an argument: -${given}`);
    if (type === 'boolean' && text !== 'true' && text !== 'false')
      throw new UsageError(`invalid boolean value "${text}" for -${given}: parse error`);
    if (multiple) options[name] = [...texts({ options }, name), text];
    else options[name] = type === 'boolean' ? text === 'true' : text;
  }
  return { options, rest };
}

const nameOf = (given: string, known: Record<string, Option>): string | undefined =>
  Object.hasOwn(known, given) ? given : Object.keys(known).find(name => known[name]!.short === given);

function parsed(command: Command, name: string, words: string[]) {
  // Of exec, the options of the program follow the container's name.
  const { options, rest: args } = parse(words, command.options ?? {}, {
    stops: command.takesProgram === true,
  });
  const [least, most] = argumentCount(command);
  if (args.length < least || args.length > most) {
    const how =
      least === most
        ? `exactly ${least}`
        : args.length < least
          ? `a minimum of ${least}`
          : `a maximum of ${most}`;
    throw new UsageError(`${NAME}: "${name}" requires ${how} argument(s)`);
  }
  return { options, args };
}

function defaultRoot(): string {
  const { XDG_RUNTIME_DIR: own } = process.env;
  return process.geteuid!() !== 0 && own ? `${own}/${NAME}` : `/run/${NAME}`;
}

function say(words: string): number {
  process.stdout.write(words);
  return 0;
}

function optionLines(options: Record<string, Option>): string {
  const rows = Object.entries(options).map(([name, { type, short, help: line }]) => {
    const suffix = type === 'boolean' ? '' : ' value';
    return [`--${name}${suffix}${short === undefined ? '' : `, -${short}${suffix}`}`, line] as const;
  });
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `   ${left.padEnd(width)}  ${right}\n`).join('');
}

function usage(name: string, { args, summary, options = {} }: Command): string {
  const hasOptions = Object.keys(options).length > 0;
  const synopsis = `${NAME} ${name}${hasOptions ? ' [command options]' : ''} ${args}`.trimEnd();
  const body = hasOptions ? `\nOPTIONS:\n${optionLines(options)}` : '';
  return `NAME:\n   ${NAME} ${name} - ${summary}\n\nUSAGE:\n   ${synopsis}\n${body}`;
}

function help(): string {
  const names = Object.keys(COMMANDS).join(', ');
  return (
    `NAME:\n   ${NAME} - Open Container Initiative runtime\n\n` +
    `USAGE:\n   ${NAME} [global options] command [command options] [arguments...]\n\n` +
    `COMMANDS:\n   ${names}\n   ${NAME} COMMAND --help describes one of them\n\n` +
    `GLOBAL OPTIONS:\n${optionLines(GLOBALS)}`
  );
}
