// `learn clean`: removes control groups of killed sandboxes. Everything else of a sandbox ends with its processes.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { abandonedGroups, below, removeCourseGroups, removeGroup } from '../sandbox/groups.ts';
import { print } from '../screen.ts';

export async function clean(): Promise<void> {
  const abandoned = abandonedGroups();
  for (const directory of abandoned) {
    for (const group of below(directory)) endProcesses(group);
    const left = await removeGroup(directory);
    print(left.length === 0 ? `removed ${directory}` : `cannot remove ${left.join(' ')}`);
    if (left.length > 0) process.exitCode = 1;
  }
  removeCourseGroups();
  if (abandoned.length === 0) print('nothing was left behind');
}

function endProcesses(group: string): void {
  for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // The process has just ended.
    }
  }
  const kill = join(group, 'cgroup.kill');
  if (existsSync(kill)) writeFileSync(kill, '1');
}
