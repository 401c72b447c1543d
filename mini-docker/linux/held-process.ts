// A process held by its pidfd: signals and waits always reach this process, never a later one with the same
// pid.
import { call } from './call.ts';
import { SIG } from './constants.ts';
import { Descriptor } from './descriptor.ts';
import { type ExitStatus, reap, watchExit } from './exits.ts';
import { openProcess, type ProcessIdentity } from './proc/identity.ts';
import { mayFail } from './step.ts';
import { pidfdOpen, pidfdSendSignal } from './syscalls.ts';

export class HeldProcess {
  readonly #pidfd: Descriptor;

  /** Takes ownership of the pidfd. */
  constructor(pidfd: number) {
    this.#pidfd = new Descriptor(pidfd);
  }

  /**
   * undefined when there is no such process. The pid must not have been reused since the caller learned it.
   */
  static of(pid: number): HeldProcess | undefined {
    const pidfd = call(mayFail(pidfdOpen(pid, 0), 'ESRCH'));
    return pidfd < 0 ? undefined : new HeldProcess(pidfd);
  }

  /** undefined when the process has ended and was reaped. */
  static known(identity: ProcessIdentity): HeldProcess | undefined {
    const pidfd = openProcess(identity);
    return pidfd === undefined ? undefined : new HeldProcess(pidfd);
  }

  /** The pidfd, to be used at once and not kept. @throws Error after letGo() */
  get pidfd(): number {
    return this.#pidfd.number;
  }

  /**
   * @returns false when the process has been reaped or let go. A signal to a zombie has no effect.
   * pidfd_send_signal(2)
   */
  signal(signal: number): boolean {
    return this.#pidfd.isOpen && call(mayFail(pidfdSendSignal(this.pidfd, signal, null, 0), 'ESRCH')) >= 0;
  }

  /** Waits until the process has ended, reaps it if it is our child, and lets it go. */
  async ended(): Promise<ExitStatus | undefined> {
    await watchExit(this.pidfd);
    try {
      return reap(this.pidfd);
    } catch (error) {
      // A child of another process, or already reaped.
      if ((error as NodeJS.ErrnoException).code === 'ECHILD') return undefined;
      throw error;
    } finally {
      this.letGo();
    }
  }

  async kill(): Promise<void> {
    this.signal(SIG.KILL);
    await this.ended();
  }

  /** Idempotent. */
  letGo(): void {
    this.#pidfd.close();
  }

  [Symbol.dispose](): void {
    this.letGo();
  }
}
