// Controls the user's terminal while a container uses it.

import { printError } from '../show/output.ts';

export interface Size {
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

/** Calls back now and on every change of the window's size. The returned function stops it. */
export function onResize(callback: (size: Size) => Promise<void>): () => void {
  let first = true;
  const tell = () => {
    const size = terminalSize();
    if (!size) return;
    callback(size).catch(error => {
      // The program may have exited already; at most the first failure matters.
      if (first && process.env.MINI_DOCKER_DEBUG) printError(`mini-docker: cannot resize: ${error.message}`);
      first = false;
    });
  };
  process.on('SIGWINCH', tell);
  tell();
  return () => process.off('SIGWINCH', tell);
}
