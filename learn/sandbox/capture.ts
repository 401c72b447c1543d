// Runs a program in a sandbox and reads its output.
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ExitStatus, pipe, readableOf, SIG, writableOf } from '#linux';
import type { EnterOptions } from './enter.ts';
import type { Sandbox } from './sandbox.ts';

export interface CaptureOptions extends Omit<EnterOptions, 'streams'> {
  /** Text for its stdin, which is /dev/null otherwise. */
  input?: string;
  /** Time in milliseconds after which it is killed. */
  timeout?: number;
}

export interface Captured {
  /** Exit code; 128 + n if signal n ended it. */
  code: number;
  stdout: string;
  stderr: string;
  /** Whether it was killed because its time was up. */
  timedOut: boolean;
}

export interface Running {
  /** Its pid on the machine. */
  readonly pid: number;
  /** Its output so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly ended: Promise<Captured>;
  kill(signal?: number): void;
}

/** Limit in bytes; beyond it we stop reading, and the writer gets SIGPIPE. */
const MOST = 1 << 20;
/** Time in milliseconds to wait for the end of the output: a process left behind may hold it open for ever. */
const GRACE = 200;
const TIMEOUT = 10_000;

/** Runs a program to its end. */
export async function capture(
  sandbox: Sandbox,
  argv: readonly string[],
  options: CaptureOptions = {},
): Promise<Captured> {
  return (await begin(sandbox, argv, options)).ended;
}

/** Starts a program, and reads its output while it runs. */
export async function begin(
  sandbox: Sandbox,
  argv: readonly string[],
  options: CaptureOptions = {},
): Promise<Running> {
  const { input, timeout = TIMEOUT, ...rest } = options;
  const output = pipe();
  const errors = pipe();
  const stdin = input === undefined ? undefined : pipe();
  const nothing = openSync('/dev/null', 'r');
  try {
    const streams = [stdin?.readEnd ?? nothing, output.writeEnd, errors.writeEnd] as const;
    const entered = await sandbox.enter(argv, { session: true, ...rest, streams });
    if (stdin !== undefined)
      writableOf(stdin.writeEnd)
        .on('error', () => {})
        .end(input);
    const stdout = collect(readableOf(output.readEnd));
    const stderr = collect(readableOf(errors.readEnd));
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      entered.kill(SIG.KILL);
    }, timeout);
    const finish = async (status: ExitStatus): Promise<Captured> => {
      clearTimeout(timer);
      await Promise.race([Promise.all([stdout.closed, stderr.closed]), sleep(GRACE)]);
      stdout.stop();
      stderr.stop();
      return { code: status.code, stdout: stdout.text(), stderr: stderr.text(), timedOut };
    };
    return {
      pid: entered.pid,
      get stdout() {
        return stdout.text();
      },
      get stderr() {
        return stderr.text();
      },
      ended: entered.ended.then(finish),
      kill: (signal = SIG.KILL) => entered.kill(signal),
    };
  } catch (error) {
    for (const fd of [output.readEnd, errors.readEnd]) closeSync(fd);
    if (stdin !== undefined) closeSync(stdin.writeEnd);
    throw error;
  } finally {
    for (const fd of [output.writeEnd, errors.writeEnd, nothing]) closeSync(fd);
    if (stdin !== undefined) closeSync(stdin.readEnd);
  }
}

function collect(stream: Readable): { text(): string; closed: Promise<void>; stop(): void } {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST) stream.destroy();
  });
  stream.on('error', () => {}).on('close', () => resolve());
  return { text: () => Buffer.concat(chunks).toString(), closed, stop: () => stream.destroy() };
}
