// The conversation with a container's first process before its program runs: it says that it waits, we let it go on.
import { Socket } from 'node:net';
import { call } from '../linux/call.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { readStat } from '../linux/proc/stat.ts';
import { mayFail } from '../linux/step.ts';
import { write } from '../linux/syscalls.ts';

/** Milliseconds between looks at a process that does not come, and how many in a row must find it stopped. */
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

  /** Takes both descriptors over. @param pid of the process that is waited for; 0 as long as there is none */
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
   * True when the process waits; false when it has gone on to its program, or failed.
   * @throws Error when somebody in the container has stopped it (SIGSTOP, ptrace), which nothing of ours does
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
    // EPIPE: it was killed, which arrived() tells.
    call(mayFail(write(this.#go.number, Buffer.from('.')), 'EPIPE'));
  }

  /** A process that still waits sees the end of the pipe and ends. Idempotent. */
  close(): void {
    this.#go.close();
    this.#ready.destroy();
  }
}
