// The conversation with a container's first process before its program runs: it says that it waits, we let it go on.
import { closeSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

export class Gate {
  readonly #ready: Socket;
  readonly #go: number;
  #closed = false;
  #waiting = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  /** Takes both descriptors over. */
  constructor(ready: number, go: number) {
    this.#go = go;
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

  /** True when the process waits; false when it has gone on to its program, or failed. */
  async arrived(): Promise<boolean> {
    while (this.#waiting === 0 && !this.#ended) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    if (this.#waiting === 0) return false;
    this.#waiting--;
    return true;
  }

  open(): void {
    writeSync(this.#go, '.');
  }

  /** A process that still waits sees the end of the pipe and ends. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#go);
    this.#ready.destroy();
  }
}
