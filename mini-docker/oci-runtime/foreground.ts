// What a container in the foreground needs: its signals and its terminal pass through this program.
import { constants } from 'node:os';
import type { HeldProcess } from '../linux/held-process.ts';
import { resizePty } from '../linux/pty.ts';
import { PtyStream } from '../linux/pty-stream.ts';

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

/** Connects our terminal, or other standard streams, with the container's. */
export function relayTerminal(master: number): { drained: Promise<void>; end(): void } {
  const { stdin, stdout } = process;
  const resize = (): void => {
    if (stdout.isTTY) resizePty(master, { rows: stdout.rows, columns: stdout.columns });
  };
  resize();
  process.on('SIGWINCH', resize);
  if (stdin.isTTY) stdin.setRawMode(true);
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
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.destroy();
  };
  void drained.then(end);
  return { drained, end };
}
