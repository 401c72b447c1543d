// The shell of a sandbox at a terminal, for the commands of transcripts: they are typed, and what the screen shows is read,
// as a learner does it. One shell for a whole README, so that variables and jobs stay.
import { closeSync, readdirSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { shellCommand } from '../../learn/commands/run.ts';
import type { Sandbox } from '../../learn/sandbox/sandbox.ts';
import { readStat } from '../../mini-docker/linux/proc/stat.ts';
import { openPty } from '../../mini-docker/linux/pty.ts';
import type { Command } from './transcript.ts';

export interface Shell extends AsyncDisposable {
  /** Types it, and gives what the screen shows then, and after each that is typed into it, as lines. @throws Error when it takes too long */
  run(command: Command): Promise<{ output: string[]; inner: string[][] }>;
}

const SIZE = { rows: 24, columns: 80 };
/** What the shell shows when it waits for a command: nothing that a program prints. */
const PROMPT = '\u2063$ ';
const CONTINUED = '\u2063> ';
/** Colours, and questions to the terminal. */
const CONTROL = /\x1b\[[0-9;]*[A-Za-z]/g;
/** When a job ends is not for a chapter to say; chapter 0 tells that such lines are left out. */
const JOB_ENDED = /^\[\d+\][+-]? +(Done|Exit|Terminated|Killed|Stopped|Running).*\n/gm;
/** The prompt of a shell in a box, at the end of what was printed. */
const INNER = /(^|\n)(?:box|\/)?[^#$\n]*# $/;

export async function openShell(
  sandbox: Sandbox,
  options: {
    /** Milliseconds that a command may take. */
    timeout?: number | undefined;
    environment?: Record<string, string> | undefined;
  } = {},
): Promise<Shell> {
  const { timeout = 15_000 } = options;
  const { master, slave } = openPty(SIZE);
  // Without LINES and COLUMNS: programs ask the terminal.
  const environment = { ...options.environment, TERM: 'dumb', LC_ALL: 'C' };
  const entered = await sandbox.enter(['setsid', '--ctty', '--wait', ...shellCommand], {
    streams: [slave, slave, slave],
    environment,
  });
  closeSync(slave);
  let text = '';
  let heard = (): void => {};
  const screen = new ReadStream(master);
  screen.setEncoding('utf8').on('error', () => {});
  screen.on('data', chunk => {
    text += String(chunk).replaceAll('\r\n', '\n').replace(CONTROL, '');
    heard();
  });
  /** What is shown until `found` knows where it ends. */
  const until = (found: (text: string) => number): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`it takes too long; until now the screen shows:\n${text}`)),
        timeout,
      );
      heard = () => {
        const end = found(text);
        if (end < 0) return;
        clearTimeout(timer);
        heard = () => {};
        const before = text.slice(0, end);
        text = text.slice(end);
        resolve(before);
      };
      heard();
    });
  const prompt = async (): Promise<string> => {
    const shown = await until(all => all.indexOf(PROMPT));
    text = text.slice(PROMPT.length);
    return shown;
  };
  /** The terminal shows what is typed: that is taken off. */
  const type = async (line: string): Promise<void> => {
    writeSync(master, `${line}\n`);
    await until(all => all.indexOf('\n') + 1 || -1);
  };
  // Without editing of lines: it draws a long line again and again.
  await until(all => (/\$ $/.test(all) ? all.length : -1));
  // Written in numbers, or what is typed would look like the prompt.
  const octal = (sign: string) =>
    `$(printf '${Buffer.from(sign).reduce((all, byte) => `${all}\\${byte.toString(8)}`, '')}')`;
  writeSync(master, `set +o emacs; PS2=${octal(CONTINUED)} PS1=${octal(PROMPT)}\n`);
  await prompt();
  return {
    async run(command) {
      try {
        return await typeAll(command);
      } catch (error) {
        // Out of whatever waits for input, so that the next command finds the shell.
        for (const key of ['\x03', '\x04', '\x03']) writeSync(master, key);
        await prompt().catch(() => {});
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      entered.kill(9);
      await entered.ended;
      screen.destroy();
    },
  };

  async function typeAll({ text: typed, inner }: Command): Promise<{ output: string[]; inner: string[][] }> {
    const [first = '', ...rest] = typed.split('\n');
    await type(first);
    for (const line of rest) {
      await until(all => (all.endsWith(CONTINUED) ? all.length : -1));
      await type(line);
    }
    const shown: string[] = [];
    for (const { text: line } of inner) {
      shown.push((await until(all => INNER.exec(all)?.index ?? -1)).replace(/^\n/, ''));
      text = '';
      await type(line);
    }
    shown.push(await prompt());
    if (typed.trimEnd().endsWith('&')) await quiet(sandbox);
    const lines = shown
      .map(part => part.replace(JOB_ENDED, ''))
      .map(part => (part === '' ? [] : part.replace(/\n$/, '').split('\n')));
    return { output: lines[0]!, inner: lines.slice(1) };
  }
}

/** Until nothing in the sandbox computes any more: what was started in the background has done what it does at its start. */
async function quiet(sandbox: Sandbox): Promise<void> {
  let before = '';
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; ) {
    const threads = sandbox.processes().flatMap(threadsOf);
    const now = threads.map(({ pid, userTime, systemTime }) => `${pid} ${userTime} ${systemTime}`).join();
    // A thread that waits for a processor is R as well.
    const busy = threads.some(({ state }) => state === 'R' || state === 'D');
    if (!busy && now === before) return;
    before = now;
    await sleep(150);
  }
}

function threadsOf(pid: number): NonNullable<ReturnType<typeof readStat>>[] {
  try {
    const ids = readdirSync(`/proc/${pid}/task`);
    return ids.map(Number).flatMap(id => readStat(id) ?? []);
  } catch {
    return [];
  }
}
