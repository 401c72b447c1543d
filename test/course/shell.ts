// The shell of a sandbox, for the commands of transcripts: one for a whole README, so that variables and jobs stay.
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox } from '../../learn/sandbox/sandbox.ts';
import { pipe, readableOf, writableOf } from '../../mini-docker/linux/pipes.ts';
import { readStat } from '../../mini-docker/linux/proc/stat.ts';
import type { Command } from './transcript.ts';

export interface Shell extends AsyncDisposable {
  /** Runs it as typed, and gives its output, and that of what is typed into it, as lines. @throws Error when it takes too long */
  run(command: Command): Promise<{ output: string[]; inner: string[][] }>;
}

/** @param timeout milliseconds that a command may take */
export async function openShell(sandbox: Sandbox, timeout = 15_000): Promise<Shell> {
  const input = pipe();
  const output = pipe();
  const environment = { TERM: 'dumb', LC_ALL: 'C', COLUMNS: '200' };
  const streams = [input.readEnd, output.writeEnd, output.writeEnd] as const;
  const entered = await sandbox.enter(['sh'], { streams, environment, session: true });
  closeSync(input.readEnd);
  closeSync(output.writeEnd);
  const stdin = writableOf(input.writeEnd).on('error', () => {});
  const stdout = readableOf(output.readEnd).setEncoding('utf8');
  let text = '';
  let heard = (): void => {};
  stdout.on('data', chunk => {
    text += chunk;
    heard();
  });
  const until = (marker: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`it takes too long; until now it printed:\n${text}`)),
        timeout,
      );
      heard = () => {
        const at = text.indexOf(`${marker}\n`);
        if (at < 0) return;
        clearTimeout(timer);
        const before = text.slice(0, at);
        text = text.slice(at + marker.length + 1);
        resolve(before);
      };
      heard();
    });
  return {
    async run(command) {
      const marker = `--${randomBytes(6).toString('hex')}--`;
      stdin.write(script(command, marker));
      const printed = await until(`${marker}end`);
      if (command.text.trimEnd().endsWith('&')) await quiet(sandbox);
      const parts = printed.split(`${marker}\n`);
      const lines = parts.map(part => part.split('\n').slice(0, part.endsWith('\n') ? -1 : undefined));
      const [first = [], ...inner] = lines.map(part => (part.length === 1 && part[0] === '' ? [] : part));
      return { output: first, inner };
    },
    async [Symbol.asyncDispose]() {
      stdin.destroy();
      entered.kill(9);
      await entered.ended;
      stdout.destroy();
    },
  };
}

/** The command must not read the script that comes behind it. Its status is there for a $? in the next. */
function script({ text, inner }: Command, marker: string): string {
  const typed = inner.flatMap(line => [`echo ${marker}`, line.text]);
  const stdin = inner.length === 0 ? '</dev/null' : `<<'${marker}eof'\n${typed.join('\n')}\n${marker}eof`;
  return `{ ${text}\n} ${stdin}\n__status=$?; printf '%s\\n' '${marker}end'; (exit $__status)\n`;
}

/** Until nothing in the sandbox computes any more: what was started in the background has done what it does at its start. */
async function quiet(sandbox: Sandbox): Promise<void> {
  let before = '';
  for (const deadline = Date.now() + 5000; Date.now() < deadline; ) {
    const stats = sandbox.processes().map(pid => readStat(pid));
    const now = stats.map(stat => `${stat?.pid} ${stat?.userTime} ${stat?.systemTime}`).join();
    const busy = stats.some(stat => stat?.state === 'R' || stat?.state === 'D');
    if (!busy && now === before) return;
    before = now;
    await sleep(150);
  }
}
