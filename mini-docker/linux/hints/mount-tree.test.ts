import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { enterOwnMounts, shell } from '../../../test/support/own-mounts.ts';
import { hintBelow, hintOf } from '../../../test/support/provoke.ts';
import { call } from '../call.ts';
import { AT, MOUNT_ATTR, MS, OPEN_TREE } from '../constants.ts';
import { mountCall, mountSetattr, moveMount, openTree, pivotRoot, umount2 } from '../syscalls.ts';

beforeAll(enterOwnMounts);

test('pivot_root wants a mount point, and the old root below it', () => {
  shell('mkdir -p /srv/root/old /srv/other');
  const pivot = (putOld: string) => hintOf(() => call(pivotRoot('/srv/root', putOld)));
  expect(pivot('/srv/root/old')).toMatch(
    /EINVAL: new_root \/srv\/root is not a mount point: bind it onto itself/,
  );
  shell('mount --bind /srv/root /srv/root');
  expect(pivot('/srv/other')).toMatch(/EINVAL: put_old \/srv\/other is not at or below new_root \/srv\/root/);
});

test('pivot_root wants no shared mounts', () => {
  shell(
    'mkdir -p /srv/shared; mount -t tmpfs x /srv/shared; mount --make-shared /srv/shared; mkdir /srv/shared/root',
  );
  shell('mount -t tmpfs y /srv/shared/root; mount --make-private /srv/shared/root');
  expect(hintOf(() => call(pivotRoot('/srv/shared/root', '/srv/shared/root')))).toMatch(
    /EINVAL: the mount on \/srv\/shared is shared.*MS_PRIVATE/,
  );
});

test('pivot_root cannot move the present root onto itself', () => {
  expect(hintOf(() => call(pivotRoot('/', '/')))).toMatch(/EBUSY: .*present root's own mount/);
});

test('pivot_root after a chroot', () => {
  const inside = `
    for (const directory of ['/srv/jail', '/srv/jail/root', '/srv/jail/proc']) fs.mkdirSync(directory);
    call(mountCall('proc', '/srv/jail/proc', 'proc', 0, null));
    call(mountCall('x', '/srv/jail/root', 'tmpfs', 0, null));
    call(chroot('/srv/jail')); call(chdir('/'));
    call(pivotRoot('/root', '/root'));`;
  const below = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs x /srv && exec "$@"', 'sh'];
  expect(hintBelow(below, inside)).toMatch(
    /EINVAL: the present root is not a mount point \(after a chroot\)/,
  );
});

test('move_mount refuses what is no mount, what hangs on a shared one, and two that are not of a kind', () => {
  shell(
    'mkdir /srv/shared/sub /srv/target; mount -t tmpfs z /srv/shared/sub; touch /srv/target-file; mkdir /srv/priv',
  );
  const move = (source: string, target: string) =>
    hintOf(() => call(moveMount(AT.FDCWD, source, AT.FDCWD, target, 0)));
  expect(move('/srv/shared/sub', '/srv/target')).toMatch(/EINVAL: .*lies on \/srv\/shared, which is shared/);
  expect(move('/srv/other', '/srv/target')).toMatch(/EINVAL: \/srv\/other is not a mount point/);
  shell('mount -t tmpfs a /srv/priv');
  expect(move('/srv/priv', '/srv/target-file')).toMatch(/is a directory and \/srv\/target-file is a file/);
});

test('what is not mounted cannot be unmounted', () => {
  expect(hintOf(() => call(umount2('/srv/other', 0)))).toBe('EINVAL: /srv/other is not a mount point here');
});

test('a mount that covers something in a user namespace stays', () => {
  const outside = 'mount -t tmpfs x /srv && exec unshare -Urm "$@"';
  expect(hintBelow(['unshare', '-m', 'sh', '-c', outside, 'sh'], "call(umount2('/srv', 0))")).toMatch(
    /EINVAL: \/srv came with its parent from a more privileged mount namespace/,
  );
});

test('the user of a busy mount is named, a process or another mount', async () => {
  shell(
    'mkdir /srv/busy; mount -t tmpfs x /srv/busy; mkdir /srv/busy/below; mount -t tmpfs y /srv/busy/below',
  );
  const unmount = () => call(umount2('/srv/busy', 0));
  expect(hintOf(unmount)).toMatch(/EBUSY: \/srv\/busy\/below is mounted on it/);
  shell('umount /srv/busy/below');
  const child = spawn('sleep', ['60'], { cwd: '/srv/busy' });
  await once(child, 'spawn');
  expect(hintOf(unmount)).toBe(
    `EBUSY: /srv/busy is in use: sleep (pid ${child.pid}, its working directory); MNT_DETACH takes it away now, and its users keep what they have open`,
  );
  child.kill();
  await once(child, 'exit');
  unmount();
});

test('attributes belong to mounts, and an unbindable one is not cloned', () => {
  const readOnly = new Uint8Array(new BigUint64Array([BigInt(MOUNT_ATTR.RDONLY), 0n, 0n, 0n]).buffer);
  expect(hintOf(() => call(mountSetattr(AT.FDCWD, '/srv/other', 0, readOnly)))).toMatch(
    /EINVAL: \/srv\/other is not a mount point, and attributes belong to mounts/,
  );
  shell('mkdir /srv/unbindable; mount -t tmpfs x /srv/unbindable');
  call(mountCall(null, '/srv/unbindable', null, MS.UNBINDABLE, null));
  const clone = () => call(openTree(AT.FDCWD, '/srv/unbindable', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC));
  expect(hintOf(clone)).toMatch(/EINVAL: .*made unbindable/);
  closeSync(call(openTree(AT.FDCWD, '/srv/target', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC)));
});
