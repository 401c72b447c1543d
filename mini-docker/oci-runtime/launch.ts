// Starts a list of steps as a process of its own, and keeps pace with it: the process reports at each stop
// with a byte, and goes on when it gets one. This program has nothing else to do meanwhile, so it reads and
// blocks.
import { closeSync, readSync, writeSync } from 'node:fs';
import { call } from '../linux/call.ts';
import { failureOf } from '../linux/child.ts';
import { P, W } from '../linux/constants.ts';
import { pipe } from '../linux/pipes.ts';
import type { Step } from '../linux/step.ts';
import type { SyscallError } from '../linux/syscall-error.ts';
import { waitid } from '../linux/syscalls.ts';
import { FD } from '../runtime/descriptors.ts';
import { compileImage, startImage } from '../runtime/image-process.ts';
import type { Section } from '../runtime/section.ts';

export interface Launched {
  /** Pid of the process that the steps' clone made. */
  readonly pid: number;
  /**
   * Waits for the next stop. @returns false when the program runs instead
   * @throws Error, SyscallError when a step failed
   */
  arrive(): boolean;
  /** Result of a step so far. */
  result(step: Step): number;
  /** Lets the process go on. */
  open(): void;
  /** A process that waits sees the end of its pipe, and exits. */
  close(): void;
}

export async function launch(options: {
  sections: readonly Section[];
  pid: Uint8Array;
  descriptors: readonly [fd: number, number: number][];
  argv: string[];
  /** The program whose absence or presence the errors are about. */
  program: string;
}): Promise<Launched> {
  const { sections, pid: memory, descriptors, argv, program } = options;
  using theirs = new DisposableStack();
  using ours = new DisposableStack();
  const ready = pipe();
  const go = pipe();
  for (const fd of [ready.writeEnd, go.readEnd]) theirs.adopt(fd, closeSync);
  for (const fd of [ready.readEnd, go.writeEnd]) ours.adopt(fd, closeSync);
  const image = startImage({
    program: compileImage(sections.flatMap(({ items }) => items)),
    descriptors: [...descriptors, [ready.writeEnd, FD.ready], [go.readEnd, FD.go]],
    argv,
    doing: 'unable to start container process',
    standard: 'ours',
  });
  theirs.dispose();
  const kept = ours.move();
  const { results } = image;
  const pid = (): number => results.buffer(memory).readInt32LE();
  let reaped = false;
  const byte = Buffer.alloc(1);
  return {
    get pid() {
      return pid();
    },
    arrive() {
      const count = readSync(ready.readEnd, byte);
      // The process that forked has ended, or does so now.
      if (!reaped) {
        call(waitid(P.PIDFD, image.process.pidfd, Buffer.alloc(128), W.EXITED, null));
        image.process.letGo();
      }
      reaped = true;
      if (count === 1) return true;
      const failure = failureOf(results, 'unable to start container process');
      if (failure !== undefined) throw new Error(asRunc(failure, program), { cause: failure });
      return false;
    },
    result: step => results.of(step),
    open: () => void writeSync(go.writeEnd, byte),
    close() {
      kept.dispose();
      image.release();
    },
  };
}

/** Docker tells exit code 127 from 126 by these words. */
function asRunc(error: SyscallError, program: string): string {
  const start = 'unable to start container process: exec:';
  if (!['faccessat', 'execve'].includes(error.syscall)) return error.message;
  if (error.code === 'ENOENT')
    return program.includes('/')
      ? `${start} "${program}": stat ${program}: no such file or directory`
      : `${start} "${program}": executable file not found in $PATH`;
  return error.code === 'EACCES' ? `${start} "${program}": permission denied` : error.message;
}
