// What a container in the foreground needs: its signals and its terminal pass through this program.
import { constants } from 'node:os';
import type { HeldProcess } from '../linux/held-process.ts';
import { resizePty } from '../linux/pty.ts';
import { PtyStream } from '../linux/pty-stream.ts';
import { makeRaw } from '../linux/raw-terminal.ts';

/** Those that end in the program which receives them, or that the kernel raises for an own fault. */
const OWN = new Set([
  'SIGKILL',
  'SIGSTOP',
  'SIGCHLD',
  'SIGPIPE',
  'SIGURG',
  'SIGSEGV',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGPROF',
]);

/** @returns the exit code: 128 and the signal's number where one ended it */
export async function waitFor(process_: HeldProcess): Promise<number> {
  for (const [name, number] of Object.entries(constants.signals)) {
    if (OWN.has(name) || name === 'SIGWINCH') continue;
    try {
      process.on(name as NodeJS.Signals, () => process_.signal(number));
    } catch {
      // Node keeps a few for itself.
    }
  }
  const status = await process_.ended();
  return status?.code ?? 255;
}

export interface Relay {
  /** Settles when all output of the container has been passed on. */
  readonly drained: Promise<void>;
  end(): void;
}

/** Connects our terminal, or other standard streams, with the container's. */
export function relayTerminal(master: number): Relay {
  const { stdin, stdout } = process;
  const resize = (): void => {
    if (stdout.isTTY) resizePty(master, { rows: stdout.rows, columns: stdout.columns });
  };
  resize();
  process.on('SIGWINCH', resize);
  const restore = stdin.isTTY ? makeRaw(0) : undefined;
  // Also after a failure: a terminal that stays raw is of no use to anyone.
  process.once('exit', () => restore?.());
  const stream = new PtyStream(master);
  stdin.on('data', data => stream.write(data));
  const drained = new Promise<void>(done => {
    stream
      .on('close', done)
      .on('end', done)
      .on('error', () => done());
  });
  stream.on('data', data => stdout.write(data));
  const end = (): void => {
    restore?.();
    stdin.destroy();
  };
  void drained.then(end);
  return { drained, end };
}
