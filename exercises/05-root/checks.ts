// What the kernel must show of the roots of exercise 5.
import { readlinkSync } from 'node:fs';
import { mountAt, readMountinfo } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';
import { mountsOutside, newMounts, toldMounts } from '../../learn/grader/outside.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'new-root', title: 'A root of its own', points: 4, file: 'new-root.ts', check: checkNewRoot },
    { id: 'device', title: 'A /dev with one device', points: 4, file: 'device.ts', check: checkDevice },
    { id: 'way-out', title: 'A forgotten descriptor', points: 2, file: 'way-out.ts', check: checkWayOut },
  ],
};

/** Creates a directory with busybox in it, at a random place, that is not a mount point. */
async function makeRoot(lab: Lab, ...programs: string[]): Promise<string> {
  const { random } = lab;
  const root = `${random.pick(['/tmp', '/run'])}/${random.word()}/${random.word()}`;
  const links = programs.map(name => `ln -s busybox ${root}/bin/${name}`).join('; ');
  const made = await lab.command([
    'sh',
    '-c',
    `mkdir -p ${root}/bin ${root}/dev && cp "$(command -v busybox)" ${root}/bin/busybox && ${links}`,
  ]);
  if (made.code !== 0) throw new Error(`a root needs a static busybox: ${made.stderr}`);
  return root;
}

async function sleeping(lab: Lab, args: readonly string[]): Promise<number> {
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  const running = await lab.start([...args, ...argv]);
  const pid = await lab.find(argv, { running });
  lab.promise('starts', pid !== undefined, {
    promised: `it runs the command, ${argv.join(' ')}`,
    seen: 'there is no such process',
    look: 'the messages on stderr',
  });
  return pid!;
}

async function checkNewRoot(lab: Lab): Promise<void> {
  const { random } = lab;
  const root = await makeRoot(lab, 'cat', 'sleep');
  const [name, text] = [random.word(), random.word()];
  await lab.command(['sh', '-c', `echo ${text} > ${root}/${name}`]);
  const before = mountsOutside(lab);
  const ran = await lab.run([root, 'cat', `/${name}`]);
  lab.promise('runs-in-root', ran.stdout === `${text}\n`, {
    promised: `in the box, /${name} is the file ${name} of ${root}: it contains ${quote(text)}`,
    seen: ending(ran),
    look: 'did a step fail? pivot_root(2) needs a mount point, and private mounts',
  });
  const pid = await sleeping(lab, [root]);
  const link = readlinkSync(`/proc/${pid}/root`);
  lab.promise('top-of-its-tree', link === '/', {
    promised: "the command's root is the top of its tree of mounts, and nothing is above it",
    seen: `according to /proc/PID/root, its root is the directory ${link} in the tree of the machine's files`,
    look: 'which of the two calls: chroot(2) or pivot_root(2)',
  });
  const mounts = readMountinfo(pid)!;
  lab.promise('old-root-gone', mounts.length === 1, {
    promised: "the box's list of mounts, /proc/PID/mountinfo, has one line: /",
    seen: `it has ${mounts.length}, among them ${mounts
      .slice(0, 4)
      .map(({ type, mountPoint }) => `${type} on ${mountPoint}`)
      .join(', ')}`,
    look: 'where the old root is after pivot_root(2); umount2(2), MNT_DETACH',
  });
  const more = newMounts(lab, before);
  lab.promise('outside-untouched', more.length === 0, {
    promised: 'outside, nothing is mounted',
    seen: toldMounts(more),
    look: 'the propagation of mounts: "shared:" in /proc/self/mountinfo; mount_namespaces(7)',
  });
}

const NUMBERS = { null: '1:3', zero: '1:5', full: '1:7', random: '1:8', urandom: '1:9' } as const;

async function checkDevice(lab: Lab): Promise<void> {
  const { random } = lab;
  const root = await makeRoot(lab, 'sh', 'ls', 'stat', 'sleep');
  const device = random.pick(Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]);
  const listed = await lab.run([root, device, 'ls', '-A', '/dev']);
  const wanted = [device, 'pts'].sort();
  lab.promise('only-these', listed.stdout.trim().split('\n').sort().join(' ') === wanted.join(' '), {
    promised: `in the box, /dev has only ${wanted.join(' and ')}`,
    seen: ending(listed),
    look: 'the mount at /dev: is it new and empty, or the one of the machine?',
  });
  const left = await lab.command(['ls', '-A', `${root}/dev`]);
  lab.promise('outside-untouched', left.stdout === '', {
    promised: `outside, ${root}/dev is empty as before`,
    seen: `it has ${quote(left.stdout.trim())}`,
    look: 'the mount at ROOT/dev: it has to come before any file is created there',
  });
  const stat = await lab.run([root, device, 'stat', '-c', '%F %t:%T %a', `/dev/${device}`]);
  lab.promise('is-the-device', stat.stdout.trim() === `character special file ${NUMBERS[device]} 666`, {
    promised: `in the box, /dev/${device} is the device ${NUMBERS[device]}, and every user may read and write it`,
    seen: ending(stat),
    look: `a file on which the machine's /dev/${device} is bound`,
  });
  const pid = await sleeping(lab, [root, device]);
  const terminals = mountAt(readMountinfo(pid)!, '/dev/pts');
  const outside = mountAt(readMountinfo(lab.sandbox.pid)!, '/dev/pts');
  lab.promise('own-terminals', terminals?.type === 'devpts' && terminals.device !== outside?.device, {
    promised: 'in the box, a devpts of its own is mounted at /dev/pts',
    seen:
      terminals === undefined
        ? 'nothing is mounted there'
        : terminals.type === 'devpts'
          ? `it is the same as outside: file system ${terminals.device}`
          : `a ${terminals.type} is mounted there`,
    look: 'a new mount of the type devpts, and not a bind mount; pts(4)',
  });
}

async function checkWayOut(lab: Lab): Promise<void> {
  const { random } = lab;
  const jail = await makeRoot(lab, 'cat', 'stat');
  const depth = Array.from({ length: random.integer(3, 9) }, () => random.word()).join('/');
  const open = `${random.pick(['/tmp', '/run'])}/${depth}`;
  const secret = `/tmp/${random.word()}`;
  const text = random.word();
  await lab.command(['sh', '-c', `mkdir -p ${open}; echo ${text} > ${secret}`]);
  const ran = await lab.run([jail, open, 'cat', secret]);
  lab.promise('is-outside', ran.stdout === `${text}\n`, {
    promised: `the command sees the machine's ${secret}: it contains ${quote(text)}`,
    seen: ending(ran),
    look: 'where the prisoner stands, how far it has climbed, and what its root is then: all three matter',
  });
  const made = await lab.command(['ls', jail]);
  lab.promise('makes-nothing', made.stdout === 'bin\ndev\n', {
    promised: 'the jail has no new file',
    seen: `it has ${quote(made.stdout.trim().replaceAll('\n', ' '))}`,
    look: 'the descriptor that was left open: with it, the prisoner need not create a directory',
  });
}
