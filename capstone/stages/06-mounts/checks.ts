import { readMountinfo } from '#linux';
import { shell, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending, quote } from '../../../learn/grader/lab.ts';
import { mountsOutside, newMounts } from '../../../learn/grader/outside.ts';

export const stage: Checks = {
  async check(lab) {
    await shell(lab, 'true');
    const before = mountsOutside(lab);
    const { pid } = await waiting(lab);
    // An engine may keep its container's root mounted where it keeps its state; the rest must not be seen.
    const leaked = newMounts(lab, before).filter(path => /\/(proc|sys|dev)(\/|$)/.test(path));
    lab.promise('no-leak', leaked.length === 0, {
      promised: "the container's /proc, /sys and /dev are not among the machine's mounts",
      seen: `there are new mounts on ${leaked.slice(0, 3).join(', ')}`,
      look: 'mounts are shared by default: MS_REC | MS_PRIVATE on / first',
    });
    const mounts = mountsOf(pid);
    const wanted = {
      '/proc': 'proc',
      '/sys': 'sysfs',
      '/dev': 'tmpfs',
      '/dev/pts': 'devpts',
      '/dev/shm': 'tmpfs',
    };
    const wrong = Object.entries(wanted).find(([place, type]) => mounts.get(place)?.type !== type);
    lab.promise('file-systems', wrong === undefined, {
      promised:
        'there are a proc on /proc, a sysfs on /sys, a tmpfs on /dev and /dev/shm, and a devpts on /dev/pts',
      seen: `on ${wrong?.[0]}: ${mounts.get(wrong?.[0] ?? '')?.type ?? 'nothing'}`,
      look: 'mount(2), one call for each',
    });
    const outside = mountsOf(lab.sandbox.pid);
    const shared = ['/dev', '/dev/pts'].find(
      place => mounts.get(place)?.device === outside.get(place)?.device,
    );
    lab.promise('own-dev', shared === undefined, {
      promised: "/dev and /dev/pts are the container's own",
      seen: `${shared} is the machine's`,
      look: 'a bind mount shows what the machine has there: its disks, and the terminals of others',
    });
    const numbers = ['null 1:3', 'zero 1:5', 'full 1:7', 'random 1:8', 'urandom 1:9', 'tty 5:0'];
    const devices = await shell(
      lab,
      `for d in ${numbers.map(each => each.split(' ')[0]).join(' ')}; do stat -c "$d %t:%T" /dev/$d; done; ls -l /dev | grep -c ^b`,
    );
    lab.promise('devices', devices.stdout === `${numbers.join('\n')}\n0\n`, {
      promised: `/dev has ${numbers.map(each => each.split(' ')[0]).join(', ')}, and no block device`,
      seen: ending(devices),
      look: 'mknod(2), or a bind mount of each of these devices; null(4), random(4), tty(4)',
    });
    const [fed, err] = [lab.random.word(), lab.random.word()];
    const script = `cat /dev/stdin > /dev/stdout; echo ${err} > /dev/stderr; ls -d /dev/fd/0`;
    const links = await lab.run(['run', '-i', 'busybox', 'sh', '-c', script], { input: `${fed}\n` });
    lab.promise('links', links.stdout === `${fed}\n/dev/fd/0\n` && links.stderr === `${err}\n`, {
      promised:
        '/dev/stdin, /dev/stdout and /dev/stderr are the streams of each process, and /dev/fd has them all',
      seen: `${ending(links)}; stderr is ${quote(links.stderr)}`,
      look: 'symbolic links into /proc/self/fd',
    });
  },
};

/** What is mounted where in a process's mount namespace. */
function mountsOf(pid: number) {
  return new Map((readMountinfo(pid) ?? []).map(mount => [mount.mountPoint, mount]));
}
