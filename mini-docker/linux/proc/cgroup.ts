// /proc/PID/cgroup: the cgroup that a process is in, in each hierarchy. cgroups(7)
import { type Pid, readProcFile } from './file.ts';

export interface CgroupMembership {
  /** 0 for cgroup v2. */
  readonly hierarchy: number;
  /** Controllers: in v1 'memory', …, or 'name=systemd' for a hierarchy without controllers; in v2 none. */
  readonly controllers: readonly string[];
  /** Path below the root of the reader's cgroup namespace; '/../…' when the cgroup lies outside of it. */
  readonly path: string;
  /** Whether the cgroup was removed; a zombie or an exiting process can still be in it. */
  readonly deleted: boolean;
}

export function decodeCgroup(text: string): CgroupMembership[] {
  return text.split('\n').filter(Boolean).map(decodeLine);
}

function decodeLine(line: string): CgroupMembership {
  const first = line.indexOf(':');
  const second = line.indexOf(':', first + 1);
  if (first < 0 || second < 0) throw new Error(`cgroup: not a line of it: ${line}`);
  const path = line.slice(second + 1);
  const deleted = path.endsWith(' (deleted)');
  return {
    hierarchy: Number(line.slice(0, first)),
    controllers: line
      .slice(first + 1, second)
      .split(',')
      .filter(Boolean),
    path: deleted ? path.slice(0, -' (deleted)'.length) : path,
    deleted,
  };
}

/** Reads /proc/PID/cgroup; undefined when there is no such process. */
export function readCgroup(pid: Pid = 'self'): CgroupMembership[] | undefined {
  const text = readProcFile(pid, 'cgroup');
  return text === undefined ? undefined : decodeCgroup(text);
}

/**
 * Path in the v1 hierarchy of a controller ('memory', 'name=systemd'), or without a controller, in the v2
 * hierarchy.
 */
export function cgroupPath(
  memberships: readonly CgroupMembership[],
  controller?: string,
): string | undefined {
  return memberships.find(({ hierarchy, controllers }) =>
    controller === undefined ? hierarchy === 0 : controllers.includes(controller),
  )?.path;
}
