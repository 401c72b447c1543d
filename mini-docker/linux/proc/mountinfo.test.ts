import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hold } from '../../../test/support/held-process.ts';
import { decodeMountinfo, mountAt, mountOf, readMountinfo } from './mountinfo.ts';

// A desktop's, a container's, and the man page's own example.
const recorded = String.raw`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
24 30 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
61 30 8:17 / /media/ann/My\040Disk\134\011\0431 rw,nosuid - fuseblk /dev/sdb1 rw,user_id=0,default_permissions
812 810 0:75 / / ro,relatime master:310 propagate_from:2 - overlay overlay rw,lowerdir=/l/A:/l/B\040C,upperdir=/u,workdir=/w
830 812 0:4 net:[4026532281] /run/netns/blue rw shared:5 master:7 - nsfs nsfs rw
831 812 0:80 / /mnt rw,relatime unbindable - tmpfs  rw,size=4k
`;

test('mountinfo is read with its escapes, its optional fields and an empty source', () => {
  const [man, proc, disk, overlay, netns, tmpfs] = decodeMountinfo(recorded);
  expect(man).toEqual({
    id: 36,
    parent: 35,
    device: '98:0',
    root: '/mnt1',
    mountPoint: '/mnt2',
    options: ['rw', 'noatime'],
    propagation: { master: 1 },
    type: 'ext3',
    source: '/dev/root',
    superOptions: ['rw', 'errors=continue'],
  });
  expect(proc?.propagation).toEqual({ shared: 13 });
  expect(disk?.mountPoint).toBe('/media/ann/My Disk\\\t#1');
  expect(overlay?.propagation).toEqual({ master: 310, propagateFrom: 2 });
  expect(overlay?.superOptions).toContain('lowerdir=/l/A:/l/B C');
  expect(netns).toMatchObject({ root: 'net:[4026532281]', propagation: { shared: 5, master: 7 } });
  expect(tmpfs).toMatchObject({ source: '', type: 'tmpfs', propagation: { unbindable: true } });
});

test('a line that is none is refused', () => {
  expect(() => decodeMountinfo('36 35 98:0 /mnt1\n')).toThrow(/mountinfo/);
});

test("the mounts of another process's mount namespace are read: escapes, propagation, bind roots, order", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mountinfo-'));
  try {
    await using held = await hold({
      wrapper: ['unshare', '-m'],
      script: `mount -t tmpfs 'a source' ${directory} && cd ${directory}
        mkdir 'with space' shared slave unbindable
        mount -t tmpfs first 'with space'; mount -t tmpfs second 'with space'; mkdir 'with space/below'
        mount --bind 'with space/below' shared; mount --make-shared shared
        mount --bind shared slave; mount --make-slave slave
        mount --bind unbindable unbindable; mount --make-unbindable unbindable`,
    });
    const mounts = readMountinfo(held.pid)!;
    const at = (name: string) => mountAt(mounts, join(directory, name));
    expect(mountAt(mounts, directory)).toMatchObject({ type: 'tmpfs', source: 'a source', root: '/' });
    expect(at('with space')?.source).toBe('second');
    expect(at('shared')).toMatchObject({ root: '/below', source: 'second' });
    expect(at('slave')?.propagation).toEqual({ master: at('shared')?.propagation.shared });
    expect(at('unbindable')?.propagation).toEqual({ unbindable: true });
    expect(mountOf(mounts, join(directory, 'with space/x/y'))?.source).toBe('second');
    expect(mountOf(mounts, join(directory, 'with spaceship'))?.source).toBe('a source');
    expect(mountOf(mounts, '/')?.mountPoint).toBe('/');
    expect(readMountinfo()?.some(mount => mount.mountPoint.startsWith(directory))).toBe(false);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a zombie has no mounts', async () => {
  // The program that the shell becomes reaps no child.
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 100'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = await once(parent.stdout, 'data');
  await expect.poll(() => readMountinfo(Number(line))).toBe(undefined);
  parent.kill();
});

test('a process that does not exist has no mounts', () => {
  expect(readMountinfo(4_194_304)).toBeUndefined();
});
