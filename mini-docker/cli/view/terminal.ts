// The terminal as a window: raw escape sequences, which every terminal since the VT100 knows.
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { CommandError } from '../errors.ts';
import { encodeRow, type Row, type Size } from './screen.ts';

/** xterm's control sequences: the alternate screen, the cursor's visibility. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE = '\x1b[0m\x1b[?25h\x1b[?1049l';

const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

export interface Terminal extends Disposable {
  size(): Size;
  /** Writes the rows that differ from those before. */
  paint(rows: readonly Row[]): void;
  /** Gives the terminal to another program, and takes it back afterwards. `answer` waits for a key. */
  lend(work: (answer: () => Promise<void>) => Promise<void>): Promise<void>;
}

/** @throws CommandError where there is no terminal that can show a window */
export function checkTerminal(environment: NodeJS.ProcessEnv): void {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY)
    throw new CommandError(
      "this is a window in the terminal, and the input or output is not a terminal: use 'ps', 'stats' and 'inspect' in scripts",
    );
  const { TERM = '' } = environment;
  if (TERM === '' || TERM === 'dumb')
    throw new CommandError(
      `the terminal cannot move the cursor (TERM=${TERM || 'is not set'}): set TERM to its type, such as xterm`,
    );
}

/**
 * Takes the terminal over until it is disposed of; also a signal or the end of this process gives it back.
 * @param onKey the key's name: 'up', 'enter', 'ctrl-c', 'q'
 */
export function openTerminal(options: {
  colour: boolean;
  onKey(key: string): void;
  onResize(): void;
  /** The terminal is gone. */
  onEnd(): void;
}): Terminal {
  const { colour, onKey, onResize, onEnd } = options;
  const { stdin, stdout } = process;
  let shown: string[] = [];
  let open = false;
  const onData = (data: Buffer) => {
    for (const key of decodeKeys(data.toString())) onKey(key);
  };
  const redraw = () => {
    shown = [];
    stdout.write('\x1b[2J');
    onResize();
  };
  const enter = () => {
    open = true;
    stdin.setRawMode(true);
    stdin.on('data', onData).resume();
    stdout.write(ENTER);
    shown = [];
  };
  const leave = () => {
    if (!open) return;
    open = false;
    stdin.off('data', onData).pause();
    try {
      stdin.setRawMode(false);
      // Synchronous: the process may be about to exit.
      writeSync(stdout.fd, LEAVE);
    } catch {
      // The terminal is gone.
    }
  };
  const onSignal = (signal: NodeJS.Signals) => {
    leave();
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of ENDING) process.on(signal, onSignal);
  process.on('exit', leave).on('SIGCONT', redraw);
  stdout.on('resize', redraw);
  stdin.on('end', onEnd).on('error', onEnd);
  enter();
  return {
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    paint(rows) {
      if (!open) return;
      const lines = rows.map(row => encodeRow(row, colour));
      const changed = lines.flatMap((line, index) =>
        line === shown[index] ? [] : [`\x1b[${index + 1};1H${line}`],
      );
      shown = lines;
      if (changed.length > 0) stdout.write(changed.join(''));
    },
    async lend(work) {
      leave();
      // Ctrl-C is the other program's.
      for (const signal of ENDING) process.off(signal, onSignal);
      const ignore = () => {};
      process.on('SIGINT', ignore).on('SIGQUIT', ignore);
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
      try {
        await work(() => keyPressed(stdin));
      } finally {
        for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
        process.off('SIGINT', ignore).off('SIGQUIT', ignore);
        for (const signal of ENDING) process.on(signal, onSignal);
        enter();
      }
    },
    [Symbol.dispose]() {
      leave();
      for (const signal of ENDING) process.off(signal, onSignal);
      process.off('exit', leave).off('SIGCONT', redraw);
      stdout.off('resize', redraw);
      stdin.off('end', onEnd).off('error', onEnd);
    },
  };
}

async function keyPressed(stdin: NodeJS.ReadStream): Promise<void> {
  stdin.setRawMode(true).resume();
  await Promise.race(['data', 'end', 'error'].map(event => once(stdin, event)));
  stdin.pause();
}

const NAMES: Record<string, string> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  '5~': 'pageup',
  '6~': 'pagedown',
  '1~': 'home',
  '4~': 'end',
};

/** Names of the keys in a piece of input; sequences of keys without a name here are left out. */
export function decodeKeys(input: string): string[] {
  const found: string[] = [];
  for (const [whole, sequence] of input.matchAll(/\x1b(?:\[|O)([0-9;]*[A-Za-z~])|\x1b|[^\x1b]/gu)) {
    if (sequence !== undefined) {
      const name = NAMES[sequence];
      if (name !== undefined) found.push(name);
    } else if (whole === '\x1b') found.push('escape');
    else if (whole === '\r' || whole === '\n') found.push('enter');
    else if (whole === '\t') found.push('tab');
    else if (whole === '\x03') found.push('ctrl-c');
    else found.push(whole);
  }
  return found;
}
