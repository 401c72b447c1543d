// `learn clean`: what sandboxes may have left behind. All else of a sandbox ends with its processes; control groups do not.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  below,
  COURSE_GROUP,
  hasMaker,
  hierarchies,
  removeCourseGroups,
  removeGroup,
} from '../sandbox/groups.ts';
import { print } from '../screen.ts';

export async function clean(): Promise<void> {
  let found = 0;
  for (const { root } of hierarchies()) {
    const course = join(root, COURSE_GROUP);
    for (const name of existsSync(course) ? readdirSync(course) : []) {
      if (!/^\d+-\d+-[0-9a-f]{8}$/.test(name) || hasMaker(name)) continue;
      for (const group of below(join(course, name))) endProcesses(group);
      const left = await removeGroup(join(course, name));
      found++;
      print(left.length === 0 ? `removed ${join(course, name)}` : `cannot remove ${left.join(' ')}`);
      if (left.length > 0) process.exitCode = 1;
    }
  }
  removeCourseGroups();
  if (found === 0) print('nothing was left behind');
}

function endProcesses(group: string): void {
  for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  const kill = join(group, 'cgroup.kill');
  if (existsSync(kill)) writeFileSync(kill, '1');
}
