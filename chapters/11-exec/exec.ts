// Runs a second program in the namespaces and the control group of a running one. setns(2), pidfd_open(2)
import { existsSync, readFileSync } from 'node:fs';
import {
  AT,
  because,
  CLONE,
  call,
  cloneCall,
  type Item,
  mayFail,
  O,
  openat,
  pidfdOpen,
  resultOf,
  SIG,
  setns,
  wait4,
  writeText,
} from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import { exitAs } from '../06-pid-1/init.ts';
import { groupOf } from '../07-cgroups/groups.ts';

const EVERYTHING = CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWNET | CLONE.NEWCGROUP;

/** @param box pid of a process in it. @param items steps to run there. @throws Mistake if the process does not exist */
export function inBox(box: number, items: readonly Item[]): Item[] {
  // From here on we cannot mistake another process with the same pid for it.
  const pidfd = call(mayFail(pidfdOpen(box, 0), 'ESRCH', 'EINVAL'));
  if (pidfd < 0) throw new Mistake(`there is no process ${box}`);
  const child = cloneCall(SIG.CHLD, 0, null, 0, 0);
  const status = Buffer.alloc(16);
  // Opened before setns(): in there, the machine's control groups are not visible.
  const groups = groupOf(box).map(directory =>
    openat(AT.FDCWD, `${directory}/cgroup.procs`, O.WRONLY | O.CLOEXEC, 0),
  );
  return [
    ...groups,
    because('to see what the box sees', setns(pidfd, EVERYTHING)),
    // A process keeps its pid for life, so it cannot move to another pid namespace. Its children can be born there.
    { control: 'fork', step: child, parent: 'outside' },
    // The parent stays outside the control group: it shares node's memory, which would count against the limit.
    ...groups.map(file => because('the limits apply to it, too', writeText(resultOf(file), '0'))),
    ...items,
    { control: 'label', name: 'outside' },
    wait4(resultOf(child), status, 0, null),
    ...exitAs(status),
  ];
}

/** The environment that the box's own program was given. @throws Mistake if there is no such process */
export function environmentOf(box: number): NodeJS.ProcessEnv {
  if (!existsSync(`/proc/${box}/environ`)) throw new Mistake(`there is no process ${box}`);
  const lines = readFileSync(`/proc/${box}/environ`, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(lines.map(line => line.split(/=(.*)/s)));
}
