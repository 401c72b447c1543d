import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VERSION } from '../formats/program-version.ts';
import { argumentCount } from './command.ts';
import { ALIASES, COMMANDS, commandsOf, findCommand, GROUPS, TABLE } from './commands.ts';
import { completionScript, SHELLS } from './completion-scripts.ts';
import { parseFlags } from './flags/flags.ts';
import { commandHelp, groupHelp, programHelp } from './help.ts';

const names = Object.keys(COMMANDS);

test.each(names)('the help of %s fits the terminal and has an example', async name => {
  const { load, summary } = COMMANDS[name]!;
  const command = await load();
  const help = await commandHelp(name, summary, command);
  expect(help).toContain(`Usage: mini-docker ${name}`);
  expect(command.examples.length).toBeGreaterThan(0);
  for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test.each(names)('the examples of %s are commands that can be given', async name => {
  const { load } = COMMANDS[name]!;
  for (const [example] of (await load()).examples) {
    const words = execFileSync('sh', [
      '-c',
      `printf '%s\\n' ${example.split(/ [|<>] /)[0]!.replace(/\$\(.*\)/, 'x')}`,
    ])
      .toString()
      .trimEnd()
      .split('\n');
    const two = words.slice(0, 2).join(' ');
    const used = findCommand(two) ? two : words[0]!;
    const command = await findCommand(used)!.load();
    const { args } = parseFlags(command.flags ?? {}, words.slice(used.split(' ').length), {
      interspersed: !command.passThrough,
    });
    const [least, most] = argumentCount(command);
    expect(args.length, example).toBeGreaterThanOrEqual(least);
    expect(args.length, example).toBeLessThanOrEqual(most);
  }
});

test('no two flags of a command have the same letter', async () => {
  for (const name of names) {
    const shorts = Object.values(
      ((await COMMANDS[name]!.load()).flags ?? {}) as Record<string, { short?: string }>,
    ).flatMap(flag => flag.short ?? []);
    expect(new Set(shorts).size, name).toBe(shorts.length);
  }
});

test('every other name is that of a command, and groups have their commands', () => {
  for (const target of Object.values(ALIASES)) expect(COMMANDS[target]).toBeDefined();
  expect(commandsOf('container').map(each => each.name)).toContain('ls');
  expect(commandsOf('volume').map(each => each.name)).toEqual(['create', 'inspect', 'ls', 'prune', 'rm']);
});

test('the overviews list all commands', async () => {
  const help = await programHelp();
  for (const { name } of commandsOf(undefined)) expect(help).toMatch(new RegExp(`^ +${name} `, 'm'));
  for (const group of Object.keys(GROUPS))
    expect(await groupHelp(group)).toMatch(
      new RegExp(`^Usage: mini-docker ${group} (\\[OPTIONS\\] )?COMMAND$`, 'm'),
    );
});

test.each(SHELLS)('the completion for %s knows commands and flags', async shell => {
  const script = await completionScript(shell, TABLE);
  for (const word of ['run', 'inspect', 'network', 'memory-swap']) expect(script).toContain(word);
});

test('bash completes commands and flags', async () => {
  const complete = (words: string[]) =>
    execFileSync('bash', [
      '-c',
      `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mini_docker; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      ...words,
    ])
      .toString()
      .trim()
      .split('\n');
  const script = await completionScript('bash', TABLE);
  expect(complete(['mini-docker', 'ins'])).toEqual(['inspect']);
  expect(complete(['mini-docker', 'run', '--memory-sw'])).toEqual(['--memory-swap', '--memory-swappiness']);
  expect(complete(['mini-docker', 'network', 'i'])).toEqual(['inspect']);
});

test('the version is that of package.json', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(VERSION).toBe(version);
});
