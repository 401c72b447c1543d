// Prints help pages, formatted by commander, from the tables that parse the command line.

import type { Option, Command as Page } from 'commander';
import { commandsOf, GROUP_FLAGS, GROUPS } from '#commands';
import type { AnyCommand } from './command.ts';
import { type FlagTable, flagName } from './flags/flags.ts';
import { PROGRAM_FLAGS } from './program-flags.ts';

const WIDEST = 100;

async function page(usage: string, flags: FlagTable): Promise<Page> {
  // Imported here, since the bundle would otherwise load it for every command.
  const { Command, Option } = await import('commander');
  const it = new Command('mini-docker').usage(usage).helpOption(false).helpCommand(false);
  const optionTerm = (option: Option) => (option.short ? option.flags : `    ${option.flags}`);
  const helpWidth = Math.min(process.stdout.columns || 80, WIDEST);
  it.configureHelp({ helpWidth, minWidthToWrap: 20, optionTerm });
  for (const [name, flag] of Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (flag.hidden) continue;
    const value = flag.placeholder === undefined ? '' : ` <${flag.placeholder}>`;
    const option = new Option(`${flagName(name, flag)}${value}`, flag.help);
    // commander takes --no-x for the negation of --x; here it is a separate flag, and only its text counts.
    it.addOption(option);
  }
  return it;
}

export async function programHelp(): Promise<string> {
  const it = (await page('[OPTIONS] COMMAND', PROGRAM_FLAGS)).description(
    'Containers, from one system call to a working engine. Commands and flags are those of docker.',
  );
  for (const { name, summary } of commandsOf(undefined)) it.command(name).description(summary).usage(' ');
  const groups = Object.entries(GROUPS).map(([name, summary]) => `  ${name.padEnd(11)}  ${summary}`);
  it.addHelpText('after', ['', 'Groups:', ...groups].join('\n'));
  it.addHelpText(
    'after',
    `
Examples:
  mini-docker run -it --rm busybox           Open a shell in a new container
  mini-docker run --explain busybox true     Show the system calls that start one
  mini-docker ps -a                          List all containers

'mini-docker COMMAND --help' shows more about a command.`,
  );
  return rendered(it);
}

export async function groupHelp(group: string): Promise<string> {
  const flags = await GROUP_FLAGS[group]?.();
  const usage = flags === undefined ? `${group} COMMAND` : `${group} [OPTIONS] COMMAND`;
  const it = (await page(usage, flags ?? {})).description(GROUPS[group]!);
  for (const { name, summary } of commandsOf(group)) it.command(name).description(summary).usage(' ');
  it.addHelpText('after', `\n'mini-docker ${group} COMMAND --help' shows more about a command.`);
  return rendered(it);
}

export async function commandHelp(name: string, summary: string, command: AnyCommand): Promise<string> {
  const it = (await page(`${name} ${command.usage}`, command.flags ?? {})).description(
    [`${summary}.`, ...(command.description === undefined ? [] : [command.description])].join('\n\n'),
  );
  const examples = command.examples.flatMap(([line, meaning]) => [`  # ${meaning}`, `  mini-docker ${line}`]);
  if (examples.length > 0) it.addHelpText('after', ['', 'Examples:', ...examples].join('\n'));
  return rendered(it);
}

function rendered(it: Page): string {
  let text = '';
  it.configureOutput({
    writeOut: each => {
      text += each;
    },
  });
  it.outputHelp();
  return text;
}
