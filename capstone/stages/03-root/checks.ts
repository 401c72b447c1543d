import { readMountinfo } from '#linux';
import { namespaceOf, shell, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const secret = `/tmp/${random.word()}`;
    await lab.command(['sh', '-c', `echo ${random.word()} > ${secret}; mkdir /${secret.slice(5)}`]);
    const seen = await shell(lab, 'ls / | tr "\\n" " "');
    const names = seen.stdout.trim().split(' ');
    lab.promise(
      'image',
      ['bin', 'etc', 'root', 'tmp'].every(name => names.includes(name)) && !names.includes('capstone'),
      {
        promised: 'the root directory is that of the image: $CAPSTONE_IMAGES/busybox',
        seen: `ls / ${ending(seen)}`,
        look: 'chroot(2), and then pivot_root(2)',
      },
    );
    const hidden = await shell(
      lab,
      `cat ${secret} /proc/1/root${secret} /..${secret}; ls -d /${secret.slice(5)}`,
    );
    lab.promise('hidden', hidden.stdout === '', {
      promised: `the machine's files, such as ${secret}, cannot be reached`,
      seen: ending(hidden),
      look: 'what of the machine is still mounted in there?',
    });
    const { pid } = await waiting(lab);
    lab.promise('mount-namespace', namespaceOf(pid, 'mnt') !== namespaceOf(lab.sandbox.pid, 'mnt'), {
      promised: 'the container has a mount namespace of its own',
      seen: 'it is in that of the machine',
      look: 'CLONE_NEWNS, unshare(2)',
    });
    // Entering only the mount namespace leads to its root, to which a chroot does not reach.
    const enter = (...argv: string[]) =>
      lab.command(['nsenter', '--target', `${lab.insidePid(pid)}`, '--mount', ...argv]);
    const entered = await enter('ls', '-d', '/capstone/images');
    // It may lie, with all its mounts, in a directory of the new one.
    const machine = readMountinfo(lab.sandbox.pid)?.find(({ mountPoint }) => mountPoint === '/');
    const below = (readMountinfo(pid) ?? []).find(
      ({ device, root }) => device === machine?.device && root === machine.root,
    );
    // Or below the new one, which only covers it (MS_MOVE).
    await enter('/bin/umount', '-l', '/');
    const uncovered = await enter('ls', '-d', '/capstone/images');
    lab.promise('pivoted', entered.code !== 0 && uncovered.code !== 0 && below === undefined, {
      promised: 'the root of the whole mount namespace is the image, and the old root is gone from it',
      seen:
        below === undefined
          ? `behind the container's root lies that of the machine: ${entered.code === 0 ? 'chroot alone can be left again' : 'umount -l / uncovers it'}`
          : `the machine's root is mounted on ${below.mountPoint}`,
      look: 'pivot_root(2), and umount2(2) of the old root with MNT_DETACH',
    });
  },
};
