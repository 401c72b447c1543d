// A terminal at which a check sits, and a program in the sandbox that runs at it.
import { closeSync } from 'node:fs';
import { type ExitStatus, openPty, PtyStream } from '#linux';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** Waits until something holds. @returns whether it did within the time, in milliseconds */
export type Until = (holds: () => boolean | Promise<boolean>, timeout?: number) => Promise<boolean>;

export interface Terminal {
  /** Pid of the program on the machine. */
  readonly pid: number;
  /** The screen's text so far. */
  readonly screen: string;
  /** Settles when the program has ended. */
  readonly ended: Promise<ExitStatus>;
  type(keys: string): void;
  /**
   * Waits for text on the screen. @returns whether it appeared before the program ended
   * @param timeout as of all waits of the lab
   */
  shows(text: string, timeout?: number): Promise<boolean>;
}

/** Starts a program as the leader of a session that the terminal controls. It ends with the sandbox, if not before. */
export async function atTerminal(
  sandbox: Sandbox,
  argv: readonly string[],
  { until, ...options }: { directory: string; environment?: Record<string, string>; until: Until },
): Promise<Terminal> {
  const { master, slave } = openPty({ rows: 24, columns: 80 });
  const { pid, ended } = await sandbox
    .enter(['setsid', '--ctty', '--wait', ...argv], { ...options, streams: [slave, slave, slave] })
    .finally(() => closeSync(slave));
  let screen = '';
  let over = false;
  const stream = new PtyStream(master);
  stream.setEncoding('utf8').on('data', text => {
    screen += text;
  });
  void ended.then(() => {
    over = true;
  });
  return {
    pid,
    get screen() {
      return screen.replaceAll('\r', '');
    },
    ended,
    type: keys => void stream.write(keys),
    async shows(text, timeout) {
      await until(() => over || screen.includes(text), timeout);
      return screen.includes(text);
    },
  };
}
