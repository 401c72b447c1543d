// What the mount tables inside and outside must show of the boxes of exercise 4.
import { mountAt, readMountinfo } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';
import { mountsOutside, newMounts, toldMounts } from '../../learn/grader/outside.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'volume', title: 'A read-only volume', points: 3, file: 'volume.ts', check: checkVolume },
    { id: 'follow', title: 'A box that follows', points: 3, file: 'follow.ts', check: checkFollow },
    { id: 'mask', title: 'A file that looks empty', points: 2, file: 'mask.ts', check: checkMask },
  ],
};

const PROPAGATION = 'the propagation of mounts: "shared:" in /proc/self/mountinfo; mount_namespaces(7)';

function sleepArguments(lab: Lab): string[] {
  return ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
}

async function checkVolume(lab: Lab): Promise<void> {
  const { random } = lab;
  const [source, target] = [`/tmp/${random.word()}`, `/tmp/${random.word()}`];
  const [name, text] = [random.word(), random.word()];
  await lab.command(['sh', '-c', `mkdir ${source} ${target}; echo ${text} > ${source}/${name}`]);
  const before = mountsOutside(lab);
  const read = await lab.run([source, target, 'cat', `${target}/${name}`]);
  lab.promise('is-seen', read.stdout === `${text}\n`, {
    promised: `in the box, ${target}/${name} is the file ${name} of ${source}: it contains ${quote(text)}`,
    seen: ending(read),
    look: 'mount() with MS.BIND; grep TARGET /proc/self/mountinfo in the box',
  });
  const argv = sleepArguments(lab);
  const running = await lab.start([source, target, ...argv]);
  const pid = await lab.find(argv, { running });
  const more = newMounts(lab, before);
  lab.promise('outside-untouched', pid !== undefined && more.length === 0, {
    promised: 'outside, nothing is mounted',
    seen: pid === undefined ? 'the command does not run' : toldMounts(more),
    look: PROPAGATION,
  });
  const mount = mountAt(readMountinfo(pid!)!, target);
  const write = await lab.run([source, target, 'sh', '-c', `echo x > ${target}/${name}`]);
  lab.promise('read-only', mount?.options.includes('ro') === true && write.code !== 0, {
    promised: `in the box, ${target} is read-only`,
    seen: `its mount has the options ${mount?.options.join(',')}, and writing to it exited with ${write.code}`,
    look: 'the first MS.BIND ignores other flags: a remount sets them',
  });
  const outside = await lab.command(['sh', '-c', `echo new > ${source}/${name}`]);
  lab.promise('source-writable', outside.code === 0, {
    promised: `outside, ${source} can still be written`,
    seen: outside.stderr.trim(),
    look: 'what the remount changes: with MS.BIND this one mount, without it the file system wherever it is mounted',
  });
  const later = random.word();
  await lab.command(['touch', `${source}/${later}`]);
  const inBox = await lab.command(['nsenter', '-t', `${lab.insidePid(pid!)}`, '-m', 'ls', target]);
  lab.promise('same-files', inBox.stdout.split('\n').includes(later), {
    promised: `${target} in the box is the directory ${source} itself, not a copy of it`,
    seen: `a file that was created in ${source} meanwhile, ${later}, is not there`,
    look: 'mount() with MS.BIND',
  });
}

async function checkFollow(lab: Lab): Promise<void> {
  const { random } = lab;
  const [own, later] = [
    `/tmp/${random.word()}`,
    `${random.pick(['/tmp', '/dev/shm', '/run'])}/${random.word()}`,
  ];
  await lab.command(['sh', '-c', `mkdir ${own} ${later}; echo x > ${own}/${random.word()}`]);
  const before = mountsOutside(lab);
  const ran = await lab.run([own, 'ls', '-A', own]);
  lab.promise('own-tmpfs', ran.code === 0 && ran.stdout === '', {
    promised: `in the box, ${own} is fresh and empty`,
    seen: ending(ran),
    look: 'a mount of type tmpfs',
  });
  const argv = sleepArguments(lab);
  const running = await lab.start([own, ...argv]);
  const pid = await lab.find(argv, { running });
  const more = newMounts(lab, before);
  lab.promise('outside-untouched', pid !== undefined && more.length === 0, {
    promised: `outside, the tmpfs on ${own} does not appear`,
    seen: pid === undefined ? 'the command does not run' : toldMounts(more),
    look: `${PROPAGATION}. Each mount has its own, and ${own} lies on the mount of /tmp`,
  });
  await lab.command(['mount', '-t', 'tmpfs', 'later', later]);
  lab.promise('sees-later-mounts', mountAt(readMountinfo(pid!)!, later) !== undefined, {
    promised: `a file system that is mounted outside later, on ${later}, appears in the box`,
    seen: "it is not in the box's /proc/PID/mountinfo",
    look: 'the kind of propagation that goes one way: from the master to the slave',
  });
}

async function checkMask(lab: Lab): Promise<void> {
  const { random } = lab;
  const file = `/tmp/${random.word()}`;
  const text = random.word();
  await lab.command(['sh', '-c', `echo ${text} > ${file}`]);
  const before = mountsOutside(lab);
  const ran = await lab.run([file, 'cat', file]);
  lab.promise('is-empty', ran.code === 0 && ran.stdout === '', {
    promised: `in the box, ${file} exists and is empty`,
    seen: ending(ran),
    look: 'the mount on it; a file can be bound on a file',
  });
  const outside = await lab.command(['cat', file]);
  const more = newMounts(lab, before);
  lab.promise('outside-unchanged', outside.stdout === `${text}\n` && more.length === 0, {
    promised: `outside, ${file} still contains ${quote(text)}`,
    seen: `it contains ${quote(outside.stdout.trim())}, and ${toldMounts(more)}`,
    look: `whether the program changes the file itself; if not, ${PROPAGATION}`,
  });
}
