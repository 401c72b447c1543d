// The checks of exercise 11: existing namespaces.
import { namespaceInode, readCgroup, readStatus } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    {
      id: 'inside',
      title: 'The processes in a box',
      points: 3,
      file: 'inside.ts',

      check: checkInside,
    },
    {
      id: 'enter',
      title: 'Entering a box',
      points: 5,
      file: 'enter.ts',
      needsGroups: true,
      check: checkEnter,
    },
  ],
};

function sleeping(lab: Lab): string[] {
  return ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
}

async function checkInside(lab: Lab): Promise<void> {
  const commands = Array.from({ length: lab.random.integer(2, 4) }, () => sleeping(lab));
  const script = `${commands.map(each => `${each.join(' ')} &`).join(' ')} wait`;
  const shell = ['sh', '-c', script];
  await lab.arrange(['unshare', '-p', '-f', ...shell]);
  const expected: string[] = [];
  for (const each of [...commands, shell]) {
    const pid = await lab.find(each);
    if (pid === undefined) throw new Error('processes in a pid namespace of their own did not start');
    expected.push(`${lab.insidePid(pid)} ${readStatus(pid)?.nspid.at(-1)}`);
  }
  const told = await lab.run([expected[0]!.split(' ')[0]!]);
  const lines = told.stdout.trim().split('\n');
  lab.promise(
    'numbers',
    expected.every(line => lines.includes(line)),
    {
      promised: `it prints both pids of each process, so these lines are among them: ${quote(expected.join('\n'))}`,
      seen: ending(told),
      look: 'NSpid in /proc/PID/status: our pid comes first, the innermost last',
    },
  );
  lab.promise('only-these', lines.toSorted().join('\n') === expected.toSorted().join('\n'), {
    promised: `that pid namespace has ${expected.length} processes; it prints each of them once, and no others`,
    seen: ending(told),
    look: 'which namespace do you compare: /proc/PID/ns/pid',
  });
}

async function checkEnter(lab: Lab): Promise<void> {
  const { random } = lab;
  const [inBox, probe] = [sleeping(lab), sleeping(lab)];
  const group = random.word();
  const script = `
    root=/sys/fs/cgroup; test -d $root/pids && root=$root/pids
    mkdir -p $root/box/${group} && echo $$ > $root/box/${group}/cgroup.procs
    exec unshare -p -f -m -u --mount-proc ${inBox.join(' ')}`;
  void lab.command(['sh', '-c', script], { timeout: 60_000 });
  const box = await lab.find(inBox);
  if (box === undefined) throw new Error('a box to enter did not start');
  const running = await lab.start([`${lab.insidePid(box)}`, ...probe]);
  const pid = await lab.find(probe, { running });
  for (const kind of ['mnt', 'uts', 'pid'] as const) {
    const same = pid !== undefined && namespaceInode(pid, kind) === namespaceInode(box, kind);
    lab.promise(`${kind}-namespace`, same, {
      promised: `the command is in the ${kind} namespace of the process`,
      seen: pid === undefined ? 'the command is not running' : 'it is in another one',
      look:
        kind === 'pid'
          ? 'which process is in it after setns: the caller, or its children?'
          : `readlink /proc/PID/ns/${kind}`,
    });
  }
  const isIn = (readCgroup(pid!) ?? []).some(({ path }) => path.endsWith(`/box/${group}`));
  lab.promise('group', isIn, {
    promised: `the command is in the control group of the process, box/${group}`,
    seen: 'it is in the control group of its parent, without limits',
    look: 'joinGroup(), and when: after setns the control groups are no longer visible',
  });
  const code = random.integer(1, 100);
  const ended = await lab.run([`${lab.insidePid(box)}`, 'sh', '-c', `exit ${code}`]);
  lab.promise('exit-code', ended.code === code, {
    promised: `the exit code is that of the command, ${code}`,
    seen: ending(ended),
    look: 'what does the parent outside wait for?',
  });
}
