// The gate before a container's program: its first process reports that it waits, and the daemon releases it.
import { Socket } from 'node:net';
import { call } from '../linux/call.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { readStat } from '../linux/proc/stat.ts';
import { mayFail } from '../linux/step.ts';
import { write } from '../linux/syscalls.ts';

/**
 * Milliseconds between checks of a process that does not arrive; number of consecutive checks that must find
 * it stopped.
 */
const LOOK_MS = 250;
const LOOKS = 4;

export class Gate {
  readonly #ready: Socket;
  readonly #go: Descriptor;
  #waiting = 0;
  #ended = false;
  #stopped = 0;
  #wake: (() => void) | undefined;
  readonly #pid: () => number;

  /** Takes ownership of both descriptors. @param pid the pid of the awaited process; 0 while there is none */
  constructor(ready: number, go: number, pid: () => number) {
    this.#pid = pid;
    this.#go = new Descriptor(go);
    this.#ready = new Socket({ fd: ready, readable: true, writable: false });
    this.#ready
      .on('data', bytes => {
        this.#waiting += bytes.length;
        this.#wake?.();
      })
      .on('error', () => {})
      .on('close', () => {
        this.#ended = true;
        this.#wake?.();
      });
  }

  /**
   * True when the process waits; false when it went on to its program, or failed.
   * @throws Error when another process in the container has stopped it (SIGSTOP, ptrace), which mini-docker
   * never does
   */
  async arrived(): Promise<boolean> {
    while (this.#waiting === 0 && !this.#ended) {
      const look = setTimeout(() => this.#look(), LOOK_MS);
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      clearTimeout(look);
      if (this.#stopped >= LOOKS) throw new Error('another process has stopped it before its program ran');
    }
    if (this.#waiting === 0) return false;
    this.#waiting--;
    return true;
  }

  #look(): void {
    const pid = this.#pid();
    const isStopped = pid > 0 && /^[Tt]$/.test(readStat(pid)?.state ?? '');
    this.#stopped = isStopped ? this.#stopped + 1 : 0;
    this.#wake?.();
  }

  open(): void {
    // EPIPE: it was killed, which arrived() reports.
    call(mayFail(write(this.#go.number, Buffer.from('.')), 'EPIPE'));
  }

  /** A process that still waits sees the end of the pipe and exits. Idempotent. */
  close(): void {
    this.#go.close();
    this.#ready.destroy();
  }
}
