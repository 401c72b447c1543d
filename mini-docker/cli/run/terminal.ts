// The user's terminal while a container has it.

import { printError } from '../show/output.ts';

export interface Size {
  rows: number;
  columns: number;
}

/** Of the terminal on stdout; undefined when it is none. */
export function terminalSize(): Size | undefined {
  const { columns, rows, isTTY } = process.stdout;
  return isTTY && columns > 0 && rows > 0 ? { rows, columns } : undefined;
}

/** [height, width] as the Engine API's ConsoleSize has it. */
export function consoleSize(): [number, number] {
  const size = terminalSize();
  return size ? [size.rows, size.columns] : [0, 0];
}

/**
 * Every key goes to the container as it is, and its output comes unchanged; nothing happens when stdin is no
 * terminal. The function that comes back undoes it, and may be called twice.
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
  // Node leaves the terminal's newline translation on (ONLCR), which moves the cursor of programs that use a bare
  // line feed to go down. Switching raw mode off puts back what was before, this included.
  const { spawnSync } = await import('node:child_process');
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  return restore;
}

/** Calls back now and on every change of the window's size. The function that comes back ends it. */
export function onResize(callback: (size: Size) => Promise<void>): () => void {
  let first = true;
  const tell = () => {
    const size = terminalSize();
    if (!size) return;
    callback(size).catch(error => {
      // The program may have ended already; only the first failure could matter to anybody.
      if (first && process.env.MINI_DOCKER_DEBUG) printError(`mini-docker: cannot resize: ${error.message}`);
      first = false;
    });
  };
  process.on('SIGWINCH', tell);
  tell();
  return () => process.off('SIGWINCH', tell);
}
