import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { enterOwnMounts, shell } from '../../../test/own-mounts.ts';
import { hintBelow, hintOf } from '../../../test/provoke.ts';
import { call } from '../call.ts';
import { AT, MOUNT_ATTR, MS, OPEN_TREE } from '../constants.ts';
import { mountCall, mountSetattr, moveMount, openTree, pivotRoot, umount2 } from '../syscalls.ts';

beforeAll(enterOwnMounts);

test('pivot_root wants a mount point, and the old root below it', () => {
  shell('mkdir -p /tmp/root/old /tmp/other');
  const pivot = (putOld: string) => hintOf(() => call(pivotRoot('/tmp/root', putOld)));
  expect(pivot('/tmp/root/old')).toMatch(
    /EINVAL: new_root \/tmp\/root is not a mount point: bind it onto itself/,
  );
  shell('mount --bind /tmp/root /tmp/root');
  expect(pivot('/tmp/other')).toMatch(/EINVAL: put_old \/tmp\/other is not at or below new_root \/tmp\/root/);
});

test('pivot_root wants no shared mounts', () => {
  shell(
    'mkdir -p /tmp/shared; mount -t tmpfs x /tmp/shared; mount --make-shared /tmp/shared; mkdir /tmp/shared/root',
  );
  shell('mount -t tmpfs y /tmp/shared/root; mount --make-private /tmp/shared/root');
  expect(hintOf(() => call(pivotRoot('/tmp/shared/root', '/tmp/shared/root')))).toMatch(
    /EINVAL: the mount on \/tmp\/shared is shared.*MS_PRIVATE/,
  );
});

test('pivot_root cannot move the present root onto itself', () => {
  expect(hintOf(() => call(pivotRoot('/', '/')))).toMatch(/EBUSY: .*present root's own mount/);
});

test('pivot_root after a chroot', () => {
  const inside = `
    for (const directory of ['/tmp/jail', '/tmp/jail/root', '/tmp/jail/proc']) fs.mkdirSync(directory);
    call(mountCall('proc', '/tmp/jail/proc', 'proc', 0, null));
    call(mountCall('x', '/tmp/jail/root', 'tmpfs', 0, null));
    call(chroot('/tmp/jail')); call(chdir('/'));
    call(pivotRoot('/root', '/root'));`;
  const below = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs x /tmp && exec "$@"', 'sh'];
  expect(hintBelow(below, inside)).toMatch(
    /EINVAL: the present root is not a mount point \(after a chroot\)/,
  );
});

test('move_mount refuses what is no mount, what hangs on a shared one, and two that are not of a kind', () => {
  shell(
    'mkdir /tmp/shared/sub /tmp/target; mount -t tmpfs z /tmp/shared/sub; touch /tmp/target-file; mkdir /tmp/priv',
  );
  const move = (source: string, target: string) =>
    hintOf(() => call(moveMount(AT.FDCWD, source, AT.FDCWD, target, 0)));
  expect(move('/tmp/shared/sub', '/tmp/target')).toMatch(/EINVAL: .*lies on \/tmp\/shared, which is shared/);
  expect(move('/tmp/other', '/tmp/target')).toMatch(/EINVAL: \/tmp\/other is not a mount point/);
  shell('mount -t tmpfs a /tmp/priv');
  expect(move('/tmp/priv', '/tmp/target-file')).toMatch(/is a directory and \/tmp\/target-file is a file/);
});

test('what is not mounted cannot be unmounted', () => {
  expect(hintOf(() => call(umount2('/tmp/other', 0)))).toBe('EINVAL: /tmp/other is not a mount point here');
});

test('a mount that covers something in a user namespace stays', () => {
  const outside = 'mount -t tmpfs x /tmp && exec unshare -Urm "$@"';
  expect(hintBelow(['unshare', '-m', 'sh', '-c', outside, 'sh'], "call(umount2('/tmp', 0))")).toMatch(
    /EINVAL: \/tmp came with its parent from a more privileged mount namespace/,
  );
});

test('who keeps a mount busy is named, a process or another mount', async () => {
  shell(
    'mkdir /tmp/busy; mount -t tmpfs x /tmp/busy; mkdir /tmp/busy/below; mount -t tmpfs y /tmp/busy/below',
  );
  const unmount = () => call(umount2('/tmp/busy', 0));
  expect(hintOf(unmount)).toMatch(/EBUSY: \/tmp\/busy\/below is mounted on it/);
  shell('umount /tmp/busy/below');
  const child = spawn('sleep', ['60'], { cwd: '/tmp/busy' });
  await once(child, 'spawn');
  expect(hintOf(unmount)).toBe(
    `EBUSY: somebody uses /tmp/busy: sleep (pid ${child.pid}, its working directory); MNT_DETACH takes it away and lets them finish`,
  );
  child.kill();
  await once(child, 'exit');
  unmount();
});

test('attributes belong to mounts, and an unbindable one is not cloned', () => {
  const readOnly = new Uint8Array(new BigUint64Array([BigInt(MOUNT_ATTR.RDONLY), 0n, 0n, 0n]).buffer);
  expect(hintOf(() => call(mountSetattr(AT.FDCWD, '/tmp/other', 0, readOnly)))).toMatch(
    /EINVAL: \/tmp\/other is not a mount point, and attributes belong to mounts/,
  );
  shell('mkdir /tmp/unbindable; mount -t tmpfs x /tmp/unbindable');
  call(mountCall(null, '/tmp/unbindable', null, MS.UNBINDABLE, null));
  const clone = () => call(openTree(AT.FDCWD, '/tmp/unbindable', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC));
  expect(hintOf(clone)).toMatch(/EINVAL: .*made unbindable/);
  closeSync(call(openTree(AT.FDCWD, '/tmp/target', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC)));
});
