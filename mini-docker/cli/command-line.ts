// Runs a command line: finds the command, parses its flags, runs it, prints its error, returns the exit code.

import { COMMANDS, commandsOf, findCommand, GROUP_FLAGS, GROUPS } from '#commands';
import { type AnyCommand, argumentCount, type Invocation } from './command.ts';
import { DaemonClient } from './daemon/client.ts';
import type { TlsFiles } from './daemon/http-connection.ts';
import { tlsFiles } from './daemon/tls-files.ts';
import { beforeProgram, CommandError, DaemonError, errorLine, exitCodeOf, isRun } from './errors.ts';
import { FlagError, HelpError, parseFlags } from './flags/flags.ts';
import { PROGRAM_FLAGS } from './program-flags.ts';
import { outputWritten, printError, write } from './show/output.ts';

export interface CommandLineOptions {
  /** The program and arguments that start mini-docker's daemon. */
  daemonCommand: readonly string[];
}

/** Resolves with the exit code when all output is written; never rejects. */
export async function runCommandLine(argv: readonly string[], options: CommandLineOptions): Promise<number> {
  const exitCode = await runArguments(argv, options);
  await outputWritten();
  return exitCode;
}

async function runArguments(argv: readonly string[], options: CommandLineOptions): Promise<number> {
  try {
    const { flags, args } = parseFlags(PROGRAM_FLAGS, argv, { interspersed: false });
    const daemon = { host: flags.host, tls: tlsFiles(flags, process.env) };
    if (flags.version) return await runNamed('version', ['--short'], { ...options, ...daemon });
    if (args[0] === 'help') return await help(args.slice(1));
    return await dispatch(args, { ...options, ...daemon });
  } catch (error) {
    if (error instanceof HelpError) return help([]);
    if (!(error instanceof FlagError)) return fail('', error);
    return fail('', beforeProgram(`${error.message} (see 'mini-docker --help')`));
  }
}

interface Options extends CommandLineOptions {
  /** Flags of the command's group. */
  group?: Readonly<Record<string, unknown>>;
  host: string | undefined;
  tls: TlsFiles | undefined;
}

async function dispatch(args: string[], options: Options): Promise<number> {
  const [first] = args;
  if (first === undefined) return help([]);
  if (!Object.hasOwn(GROUPS, first)) return runNamed(first, args.slice(1), options);
  const { group, rest } = await groupFlags(first, args.slice(1));
  const [second] = rest;
  if (second === undefined || second === '--help' || second === '-h') return help([first]);
  return runNamed(`${first} ${second}`, rest.slice(1), { ...options, group });
}

/** The words before the command's name, for a group that has flags. */
async function groupFlags(group: string, argv: string[]) {
  if (!Object.hasOwn(GROUP_FLAGS, group)) return { group: {}, rest: argv };
  try {
    const { flags, args } = parseFlags(await GROUP_FLAGS[group]!(), argv, { interspersed: false });
    return { group: flags, rest: args };
  } catch (error) {
    if (error instanceof HelpError) return { group: {}, rest: [] };
    throw error;
  }
}

async function runNamed(name: string, argv: string[], options: Options): Promise<number> {
  const entry = findCommand(name);
  if (!entry) return fail('', new CommandError(await unknownCommand(name)));
  const definition = await entry.load();
  try {
    const { flags, given, args } = parseFlags(definition.flags ?? {}, argv, {
      interspersed: !definition.passThrough,
    });
    checkCount(name, definition, args.length);
    let daemon: DaemonClient | undefined;
    const invocation: Invocation<typeof definition.flags> = {
      flags,
      given,
      args,
      name,
      group: options.group ?? {},
      get daemon() {
        daemon ??= new DaemonClient({ ...options, environment: process.env });
        return daemon;
      },
    };
    return (await definition.run(invocation)) ?? 0;
  } catch (error) {
    if (error instanceof HelpError) return help([name]);
    if (error instanceof FlagError)
      return fail(name, beforeProgram(await explainFlag(name, definition, error)));
    return fail(name, error);
  }
}

function checkCount(name: string, definition: AnyCommand, count: number): void {
  const [least, most] = argumentCount(definition);
  if (count >= least && count <= most) return;
  const arguments_ = (n: number) => `${n} argument${n === 1 ? '' : 's'}`;
  let wants = `requires at least ${arguments_(least)}`;
  if (least === most) wants = least === 0 ? 'accepts no arguments' : `requires ${arguments_(least)}`;
  else if (count > most) wants = `requires at most ${arguments_(most)}`;
  throw new CommandError(`'mini-docker ${name}' ${wants} (see 'mini-docker ${name} --help')`);
}

async function unknownCommand(name: string): Promise<string> {
  const { remedyFor } = await import('./absent-commands.ts');
  const remedy = remedyFor(name);
  if (remedy !== undefined) return `there is no command mini-docker ${name}: ${remedy}`;
  const { meant } = await import('../formats/typo.ts');
  const [group, member] = name.split(' ') as [string, string | undefined];
  const known =
    member === undefined
      ? [...Object.keys(COMMANDS), ...Object.keys(GROUPS)]
      : commandsOf(group).map(each => each.name);
  const guess = meant(member ?? group, known);
  const full = member === undefined ? guess : `${group} ${guess}`;
  const where = member === undefined ? 'mini-docker --help' : `mini-docker ${group} --help`;
  return `unknown command: mini-docker ${name}${guess === undefined ? '' : `; did you mean 'mini-docker ${full}'?`} (see '${where}')`;
}

async function explainFlag(name: string, { flags }: AnyCommand, error: FlagError): Promise<string> {
  const { meant } = await import('../formats/typo.ts');
  const guess = error.unknown === undefined ? undefined : meant(error.unknown, Object.keys(flags ?? {}));
  return `${error.message}${guess === undefined ? '' : `; did you mean --${guess}?`} (see 'mini-docker ${name} --help')`;
}

async function help(words: string[]): Promise<number> {
  const { programHelp, groupHelp, commandHelp } = await import('./help.ts');
  const name = words.join(' ');
  if (name === '') write(await programHelp());
  else if (Object.hasOwn(GROUPS, name)) write(await groupHelp(name));
  else {
    const entry = findCommand(name);
    if (!entry) return fail('', new CommandError(await unknownCommand(name)));
    write(await commandHelp(name, entry.summary, await entry.load()));
  }
  return 0;
}

function fail(name: string, error: unknown): number {
  const line = errorLine(error);
  // An empty message was printed already, or is not wanted: only the exit code counts.
  if (line !== '') {
    const bare = error instanceof DaemonError || line.startsWith('Error');
    printError(bare && !isRun(name) ? line : `mini-docker: ${line}`);
  }
  if (process.env.MINI_DOCKER_DEBUG && error instanceof Error) printError(String(error.stack));
  return exitCodeOf(name, error);
}
