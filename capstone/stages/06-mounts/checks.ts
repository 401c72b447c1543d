import { readMountinfo } from '#linux';
import { shell, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';
import { mountsOutside, newMounts } from '../../../learn/grader/outside.ts';

export const stage: Checks = {
  async check(lab) {
    const place = `/tmp/${lab.random.word()}`;
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
    const types = new Map((readMountinfo(pid) ?? []).map(({ mountPoint, type }) => [mountPoint, type]));
    const sys = types.get('/sys');
    lab.promise(
      'file-systems',
      types.get('/proc') === 'proc' && sys === 'sysfs' && types.get('/dev') === 'tmpfs',
      {
        promised: 'there are a proc on /proc, a sysfs on /sys and a tmpfs on /dev',
        seen: `/proc: ${types.get('/proc') ?? 'nothing'}, /sys: ${sys ?? 'nothing'}, /dev: ${types.get('/dev') ?? 'nothing'}`,
        look: 'mount(2), one call for each',
      },
    );
    const devices = await shell(
      lab,
      'echo x > /dev/null && head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c; ls -l /dev | grep -c ^b',
    );
    lab.promise('devices', devices.stdout.replaceAll(' ', '') === '4\n4\n0\n', {
      promised: '/dev has null, zero and urandom, which work, and no block device',
      seen: ending(devices),
      look: 'mknod(2), or a bind mount of each of these devices',
    });
    const inner = await shell(
      lab,
      `mkdir -p ${place} && mount -t tmpfs x ${place} 2>&1; ls -d /dev/fd /dev/stdout /dev/pts /dev/shm`,
    );
    lab.promise(
      'links',
      inner.stdout.includes('/dev/shm') && inner.stdout.includes('/dev/stdout') && !inner.stderr,
      {
        promised: '/dev has fd, stdout, pts and shm as well',
        seen: `${ending(inner)}; ${inner.stderr}`,
        look: 'symbolic links into /proc/self/fd; a devpts; a tmpfs',
      },
    );
  },
};
