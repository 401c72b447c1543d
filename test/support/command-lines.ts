// Our command and every `docker` in the PATH, each with a daemon under test.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { MAIN, NODE, type TestDaemon } from './daemon.ts';

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

export interface CommandLine {
  /** Name of the command, for test names. */
  name: string;
  cli(args: string | readonly string[]): Promise<Ran>;
  /** Returns the command's output, provided that it succeeded and wrote nothing to stderr. */
  does(args: string | readonly string[]): Promise<string>;
}

/** @param daemon called when a command runs, because tests start their daemon later */
export function commandLines(daemon: () => TestDaemon): CommandLine[] {
  const dockers = (process.env.PATH ?? '')
    .split(delimiter)
    .map(directory => join(directory, 'docker'))
    .filter(path => existsSync(path))
    .map(path => realpathSync(path));
  return [
    commandLine({ name: 'mini-docker', command: [NODE, MAIN], daemon }),
    ...[...new Set(dockers)].map(path => commandLine({ name: path, command: [path], daemon })),
  ];
}

function commandLine(options: { name: string; command: string[]; daemon: () => TestDaemon }): CommandLine {
  const { name, command, daemon } = options;
  const cli: CommandLine['cli'] = args => {
    const words = typeof args === 'string' ? args.split(' ') : args;
    const child = spawn(command[0]!, [...command.slice(1), ...words], {
      env: { PATH: process.env.PATH, HOME: '/nonexistent', DOCKER_HOST: daemon().host },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', async code => {
        clearTimeout(late);
        const [out, err] = await said;
        resolve({ code, out, err });
      });
    });
  };
  return {
    name,
    cli,
    async does(args) {
      const { code, out, err } = await cli(args);
      expect({ args, code, err }).toEqual({ args, code: 0, err: '' });
      return out;
    },
  };
}
