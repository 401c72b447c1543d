// A process held by its pidfd: signals and waits always reach this process, and never another one with its
// pid.
import { call } from './call.ts';
import { SIG } from './constants.ts';
import { Descriptor } from './descriptor.ts';
import { type ExitStatus, reap, watchExit } from './exits.ts';
import { mayFail } from './step.ts';
import { pidfdOpen, pidfdSendSignal } from './syscalls.ts';

export class HeldProcess {
  readonly #pidfd: Descriptor;

  /** Takes the pidfd over. */
  constructor(pidfd: number) {
    this.#pidfd = new Descriptor(pidfd);
  }

  /** undefined when there is no such process. Its pid must not have been another's since the caller learned it. */
  static of(pid: number): HeldProcess | undefined {
    const pidfd = call(mayFail(pidfdOpen(pid, 0), 'ESRCH'));
    return pidfd < 0 ? undefined : new HeldProcess(pidfd);
  }

  /** For use at once. @throws Error when the process was let go */
  get pidfd(): number {
    return this.#pidfd.number;
  }

  /** False when it has been reaped, or let go. A zombie takes a signal without effect. pidfd_send_signal(2) */
  signal(signal: number): boolean {
    return this.#pidfd.isOpen && call(mayFail(pidfdSendSignal(this.pidfd, signal, null, 0), 'ESRCH')) >= 0;
  }

  /** Waits for its end, takes it off the list of processes if it is our child, and lets it go. */
  async ended(): Promise<ExitStatus | undefined> {
    await watchExit(this.pidfd);
    try {
      return reap(this.pidfd);
    } catch (error) {
      // Another's child, or one that was reaped.
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
}
