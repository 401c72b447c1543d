// What the programs of exercise 7 must do for groups and their limits.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { childBegins, heldClone } from '../../learn/grader/held-clone.ts';
import { ending, type Lab } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    {
      id: 'limited',
      title: 'A limit from the first moment',
      points: 4,
      file: 'limited.ts',
      needsGroups: true,
      check: checkLimited,
    },
    {
      id: 'limit',
      title: 'What a process may really use',
      points: 4,
      file: 'limit.ts',
      needsGroups: true,
      check: checkLimit,
    },
  ],
};

/** The group and all groups below it. */
function below(group: string): string[] {
  const entries = readdirSync(group, { recursive: true, withFileTypes: true });
  return [group, ...entries.filter(each => each.isDirectory()).map(each => join(each.parentPath, each.name))];
}

/** The limit of the process's group, as the machine sees it: '12', or 'max'. */
function processesAllowed(lab: Lab, pid: number): string {
  const group = below(lab.sandbox.group('pids')!).find(directory =>
    readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').includes(`${pid}`),
  );
  const file = group === undefined ? undefined : join(group, 'pids.max');
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8').trim() : 'max';
}

async function checkLimited(lab: Lab): Promise<void> {
  const { random } = lab;
  const max = random.integer(20, 60);
  const argv = [1, 2].map(() => ['sleep', String(random.integer(1_000_000, 9_000_000))]);
  const script = `${argv.map(each => `${each.join(' ')} &`).join(' ')} wait`;
  const before = below(lab.sandbox.group('pids')!);
  // A parent that moves the command into the group may be fast enough by luck. Here it is late.
  const go = `/tmp/${random.word()}`;
  const running = await lab.start([`${max}`, 'sh', '-c', script], { environment: heldClone(go) });
  // A command that waits until its parent has moved it is in the group in time, too.
  if (!(await childBegins(lab, running))) await lab.command(['touch', go]);
  for (const each of argv) {
    const pid = await lab.find(each, { running });
    const allowed = pid === undefined ? undefined : processesAllowed(lab, pid);
    lab.promise('from-the-first', allowed === `${max}`, {
      promised: `processes that the command forks at once are in a group of at most ${max}`,
      seen: pid === undefined ? 'the command does not run' : `one is in a group that allows ${allowed}`,
      look: 'which process joins the group, and when: cat /proc/PID/cgroup',
    });
  }
  await lab.command(['touch', go]);
  // A submission may always use the same name for its group: it must be gone before the next one is created.
  for (const each of argv) process.kill((await lab.find(each))!, 'SIGKILL');
  await running.ended;
  const code = random.integer(1, 100);
  const ran = await lab.run([`${max}`, 'sh', '-c', `exit ${code}`]);
  lab.promise('exit-code', ran.code === code, {
    promised: `the exit code is the command's, ${code}`,
    seen: ending(ran),
    look: 'process.exitCode, and the lines after it',
  });
  // The group `box`, above those of all boxes, may stay.
  const left = below(lab.sandbox.group('pids')!).filter(
    group => !before.includes(group) && basename(group) !== 'box',
  );
  lab.promise('leaves-nothing', left.length === 0, {
    promised: 'its group is gone after it has ended',
    seen: `still there: ${left.map(group => group.split('/').at(-1)).join(', ')}`,
    look: 'removeGroup(), when the group has no processes left',
  });
}

const MEBIBYTE = 1024 * 1024;

/** Starts a process in a group with one limit, some groups below one with another. @returns its pid in the sandbox */
async function inGroups(lab: Lab, outer: number, inner: number): Promise<number> {
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  const above = `box/${lab.random.word()}`;
  const between = Array.from({ length: lab.random.integer(1, 3) }, () => lab.random.word());
  const group = [above, ...between, lab.random.word()].join('/');
  const script = `
    if test -d /sys/fs/cgroup/memory; then root=/sys/fs/cgroup/memory file=memory.limit_in_bytes
    else root=/sys/fs/cgroup file=memory.max; fi
    mkdir -p $root/${group}
    if test $file = memory.max; then
      path=$root
      for each in ${group.split('/').slice(0, -1).join(' ')}; do path=$path/$each; echo +memory > $path/cgroup.subtree_control; done
    fi
    echo ${outer} > $root/${above}/$file
    echo ${inner} > $root/${group}/$file
    echo $$ > $root/${group}/cgroup.procs
    exec ${argv.join(' ')}`;
  void lab.command(['sh', '-c', script], { timeout: 60_000 });
  const pid = await lab.find(argv);
  if (pid === undefined) throw new Error('a process in these groups does not start');
  return lab.insidePid(pid)!;
}

async function checkLimit(lab: Lab): Promise<void> {
  const { random } = lab;
  const [small, large] = [random.integer(20, 60) * MEBIBYTE, random.integer(100, 300) * MEBIBYTE];
  const cases = [
    { check: 'inner', outer: large, inner: small },
    { check: 'outer', outer: small, inner: large },
  ];
  for (const { check, outer, inner } of cases) {
    const told = await lab.run([`${await inGroups(lab, outer, inner)}`]);
    lab.promise(check, told.stdout.trim() === `${small}`, {
      promised: `a group of ${inner} bytes, in a tree below one of ${outer}, may use ${small}`,
      seen: ending(told),
      look: 'both files; the smallest limit counts, from the group up to the root',
    });
  }
}
