// Controls the user's terminal while a container uses it.

import type { DaemonClient } from '../daemon/client.ts';
import { printError } from '../show/output.ts';

interface Size {
  rows: number;
  columns: number;
}

/** Size of the terminal on stdout; undefined when stdout is not a terminal. */
export function terminalSize(): Size | undefined {
  const { columns, rows, isTTY } = process.stdout;
  return isTTY && columns > 0 && rows > 0 ? { rows, columns } : undefined;
}

/** [height, width], the form of the Engine API's ConsoleSize. */
export function consoleSize(): [number, number] {
  const size = terminalSize();
  return size ? [size.rows, size.columns] : [0, 0];
}

/**
 * Passes every key to the container and its output to the terminal unchanged; does nothing when stdin is not
 * a terminal. The returned function undoes it, and may be called twice.
 */
export async function rawMode(): Promise<() => void> {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  stdin.setRawMode(true);
  const restore = () => {
    process.off('exit', restore);
    if (stdin.isRaw) stdin.setRawMode(false);
  };
  process.on('exit', restore);
  // Node leaves the terminal's newline translation on (ONLCR), which moves the cursor of programs that use a
  // bare line feed to go down. Leaving raw mode restores the previous settings, including this one.
  const { spawnSync } = await import('node:child_process');
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  return restore;
}

/**
 * Gives the terminal of `path` (a container or an exec) the size of this one, now and whenever it changes. The
 * returned function stops it.
 */
export function followSize(daemon: DaemonClient, path: string): () => void {
  let first = true;
  const tell = () => {
    const size = terminalSize();
    if (!size) return;
    const query = { h: size.rows, w: size.columns };
    daemon.text('POST', `${path}/resize`, { query }).catch(error => {
      // The program may have exited already; at most the first failure matters.
      if (first && process.env.MINI_DOCKER_DEBUG) printError(`mini-docker: cannot resize: ${error.message}`);
      first = false;
    });
  };
  process.on('SIGWINCH', tell);
  tell();
  return () => process.off('SIGWINCH', tell);
}
