// The interface to a container's control group, the same for both versions of cgroups.
import { ExpectedError } from '../../formats/errors.ts';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import type { Step } from '../../linux/step.ts';
import type { Stats } from '../container.ts';

export interface GroupOptions {
  /** Such as '/mini-docker/ID', below the root of each hierarchy. */
  path: string;
  /** With version 1: it needs no cpuset of its own, and its processes can make no control groups (v1-cpuset.ts). */
  sharesCpuset?: boolean;
}

export interface Cgroup {
  /** 'none' where this process may make no control groups (none.ts). */
  readonly version: 1 | 2 | 'none';
  /** Relative to the root of each hierarchy: '/mini-docker/ID'. */
  readonly path: string;
  /**
   * The directory of its processes in each hierarchy; with version 2 there is one, whose descriptor
   * clone3(CLONE_INTO_CGROUP) takes.
   */
  readonly directories: readonly string[];
  /** Steps by which a single-threaded process joins every hierarchy itself. */
  joinSteps(): Step[];
  /** Moves a running process, with all its threads; with 'none', it is the one whose mount namespace shows the others. */
  join(pid: number): void;
  /**
   * Changes the limits given in `resources` and no others.
   * @throws CgroupError when a limit cannot be set; those written before it stay
   */
  update(resources: Resources): void;
  /** Resolves when all its processes are frozen. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  isFrozen(): boolean;
  /** All pids in the control group and below it. */
  processes(): number[];
  stats(): Stats;
  /** Number of its processes that the kernel's OOM killer has killed. */
  oomKills(): number;
  /** Calls back soon after oomKills() has increased. Stop it before delete(). */
  watchOomKills(onKill: () => void): CgroupWatch;
  /** Sends SIGKILL to all processes, frozen ones included, and returns before they have died. */
  kill(): void;
  /**
   * Removes the control group and those below it, after dying processes are gone. Idempotent.
   * @throws CgroupError when processes remain after ten seconds
   */
  delete(): Promise<void>;
}

export interface CgroupWatch {
  /** Stops watching. Idempotent. */
  stop(): void;
}

/** A limit that cannot be set, or a cgroup that cannot be made: one sentence with the remedy. */
export class CgroupError extends ExpectedError {
  override name = 'CgroupError';
  /** The errno's name ('EBUSY'), if a file of the cgroup returned one. */
  readonly code: string | undefined;

  constructor(message: string, cause?: unknown) {
    super('internal', message, { cause });
    this.code = (cause as NodeJS.ErrnoException | undefined)?.code;
  }
}
