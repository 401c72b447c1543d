// What the runtime asks of a container's control group, whichever version of cgroups the machine has.
import { ExpectedError } from '../../formats/errors.ts';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import type { Step } from '../../linux/step.ts';
import type { Stats } from '../container.ts';

export interface Cgroup {
  readonly version: 1 | 2;
  /** Relative to the root of each hierarchy: '/mini-docker/ID'. */
  readonly path: string;
  /** Its directory in each hierarchy; with version 2 there is one, which clone3(CLONE_INTO_CGROUP) takes an fd of. */
  readonly directories: readonly string[];
  /** Steps for a child program, made by the process itself while it has one thread: it joins every hierarchy. */
  joinSteps(): Step[];
  /** Moves a process that is already there, with all its threads. */
  join(pid: number): void;
  /**
   * Changes the limits that are in `resources` and leaves the others.
   * @throws CgroupError when one cannot be set; those written before it stay
   */
  update(resources: Resources): void;
  /** Resolves when all its processes have stopped. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** All pids in it and below. */
  processes(): number[];
  stats(): Stats;
  /** How many of its processes the kernel has killed for want of memory. */
  oomKills(): number;
  /** Calls back soon after oomKills() has risen. Stop before delete(). */
  watchOomKills(onKill: () => void): CgroupWatch;
  /** SIGKILL to all, also to frozen ones, and returns before they have died. */
  kill(): void;
  /**
   * Removes it with the groups below it, waiting for dying processes to be gone. Idempotent.
   * @throws CgroupError when there are still processes after ten seconds
   */
  delete(): Promise<void>;
}

export interface CgroupWatch {
  /** Idempotent. */
  stop(): void;
}

/** A limit that cannot be had, or a cgroup that cannot be made, in one sentence that says what to do. */
export class CgroupError extends ExpectedError {
  override name = 'CgroupError';
  /** 'EBUSY', where a file of the cgroup answered so. */
  readonly code: string | undefined;

  constructor(message: string, cause?: unknown) {
    super('internal', message, { cause });
    this.code = (cause as NodeJS.ErrnoException | undefined)?.code;
  }
}
