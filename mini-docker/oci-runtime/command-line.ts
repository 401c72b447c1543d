// The command line: options before the command are for all commands, and every command is a module that is
// loaded when it is needed.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { argumentCount, type Command, type Option, optionsConfig, toggle, value } from './command.ts';
import { COMMANDS, type CommandName } from './commands.ts';
import { type LogOptions, logError } from './log.ts';

const NAME = 'mini-docker-runtime';
const VERSION = '0.1.0';

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
  const { values, rest } = globals(argv);
  if (typeof values.log === 'string') log.log = values.log;
  const format = values['log-format'] ?? 'text';
  if (format !== 'text' && format !== 'json') throw new Error(`invalid log-format: ${format}`);
  log.format = format;
  const [name, ...args] = rest;
  if (values.version === true) return say(`${NAME} version ${VERSION}\nspec: 1.2.0\n`);
  if (name === undefined || name === 'help' || name === 'h' || values.help === true) return say(help());
  if (!Object.hasOwn(COMMANDS, name)) {
    logError(log, `No help topic for '${name}'`);
    return 3;
  }
  const { command } = await COMMANDS[name as CommandName]();
  if (args.includes('--help') && !command.takesProgram) return say(usage(name, command));
  let invocation: {
    options: Record<string, string | boolean | (string | boolean)[] | undefined>;
    args: string[];
  };
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

/** Go programs take long options with one dash, too. */
const twoDashes = (word: string, known: Record<string, Option>): string => {
  const name = /^-([a-z][a-z-]+)(=|$)/.exec(word)?.[1];
  return name !== undefined && Object.hasOwn(known, name) ? `-${word}` : word;
};

function globals(argv: string[]): { values: Record<string, unknown>; rest: string[] } {
  const words: string[] = [];
  let index = 0;
  for (; index < argv.length && argv[index]!.startsWith('-') && argv[index] !== '--'; index++) {
    const word = twoDashes(argv[index]!, GLOBALS);
    words.push(word);
    if (GLOBALS[word.slice(2)]?.type === 'string' && index + 1 < argv.length) words.push(argv[++index]!);
  }
  const { values } = parse(words, GLOBALS);
  return { values, rest: argv.slice(index) };
}

function parse(args: string[], options: Record<string, Option>) {
  try {
    return parseArgs({ args, options: optionsConfig(options), allowPositionals: true });
  } catch (error) {
    const unknown = /Unknown option '-*([^']*)'/.exec((error as Error).message)?.[1];
    throw new UsageError(
      unknown === undefined ? (error as Error).message : `flag provided but not defined: -${unknown}`,
    );
  }
}

function parsed(command: Command, name: string, words: string[]) {
  const args = words.map(word => twoDashes(word, command.options ?? {}));
  // Of exec, the options of the program follow the container's name.
  const end = command.takesProgram ? endOfOptions(args, command.options ?? {}) : args.length;
  const { values, positionals } = parse(args.slice(0, end), command.options ?? {});
  const given = [...positionals, ...words.slice(end).filter((word, index) => index > 0 || word !== '--')];
  const [least, most] = argumentCount(command);
  if (given.length < least || given.length > most) {
    const how =
      least === most
        ? `exactly ${least}`
        : given.length < least
          ? `a minimum of ${least}`
          : `a maximum of ${most}`;
    throw new UsageError(`${NAME}: "${name}" requires ${how} argument(s)`);
  }
  return {
    options: values as Record<string, string | boolean | (string | boolean)[] | undefined>,
    args: given,
  };
}

function endOfOptions(args: string[], options: Record<string, Option>): number {
  const takesValue = (word: string): boolean =>
    Object.entries(options).some(
      ([name, { type, short }]) => type === 'string' && (word === `--${name}` || word === `-${short}`),
    );
  let index = 0;
  while (index < args.length && args[index] !== '--' && /^-./.test(args[index]!))
    index += takesValue(args[index]!) ? 2 : 1;
  return index;
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
