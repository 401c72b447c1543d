import { closeSync, openSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { enterOwnMounts, shell } from '../../../test/own-mounts.ts';
import { hintBelow, hintOf } from '../../../test/provoke.ts';
import { call } from '../call.ts';
import { FSCONFIG, FSOPEN, MS } from '../constants.ts';
import { fsconfig, fsopen, mountCall } from '../syscalls.ts';

beforeAll(enterOwnMounts);

const bind = (source: string, target: string) => call(mountCall(source, target, null, MS.BIND, null));
const change = (target: string, flags: number) => call(mountCall(null, target, null, flags, null));

test('what is remounted, or changes its propagation, has to be a mount point', () => {
  shell('mkdir /tmp/plain');
  expect(hintOf(() => change('/tmp/plain', MS.BIND | MS.REMOUNT | MS.RDONLY))).toMatch(
    /EINVAL: \/tmp\/plain is not a mount point, .*remounted: bind it onto itself first/,
  );
  expect(hintOf(() => change('/tmp/plain', MS.PRIVATE))).toMatch(
    /\/tmp\/plain is not a mount point.*made private/,
  );
  shell('ln -s plain /tmp/link');
  bind('/tmp/plain', '/tmp/plain');
  change('/tmp/link', MS.PRIVATE);
});

test('what is moved has to be a mount, and its parent not shared', () => {
  shell('mkdir -p /tmp/shared /tmp/elsewhere; mount -t tmpfs x /tmp/shared; mount --make-shared /tmp/shared');
  shell('mkdir /tmp/shared/below; mount -t tmpfs y /tmp/shared/below');
  const move = (source: string) => call(mountCall(source, '/tmp/elsewhere', null, MS.MOVE, null));
  expect(hintOf(() => move('/tmp'))).toBe(
    'ELOOP: /tmp/elsewhere lies on /tmp, the mount that is to be moved there',
  );
  expect(hintOf(() => move('/tmp/elsewhere'))).toMatch(/EINVAL: \/tmp\/elsewhere is not a mount point/);
  expect(hintOf(() => move('/tmp/shared/below'))).toMatch(/lies on \/tmp\/shared, which is shared/);
  change('/tmp/shared', MS.PRIVATE);
  move('/tmp/shared/below');
});

test('what was made unbindable cannot be bound, nor a mount namespace into itself', () => {
  shell('mkdir -p /tmp/unbindable /tmp/target; mount -t tmpfs x /tmp/unbindable');
  change('/tmp/unbindable', MS.UNBINDABLE);
  expect(hintOf(() => bind('/tmp/unbindable', '/tmp/target'))).toMatch(/EINVAL: .*made unbindable/);
  shell('touch /tmp/file');
  expect(hintOf(() => bind('/proc/thread-self/ns/mnt', '/tmp/file'))).toMatch(
    /is a mount namespace, and can be bound only/,
  );
});

test('a filesystem that the kernel does not have is named', () => {
  expect(hintOf(() => call(mountCall('none', '/tmp', 'overlayfs2', 0, null)))).toMatch(
    /ENODEV: this kernel has no filesystem "overlayfs2".*modprobe/,
  );
  expect(hintOf(() => call(fsopen('overlayfs2', FSOPEN.CLOEXEC)))).toMatch(/ENODEV: .*"overlayfs2"/);
});

test('of source and target, the one that is missing is named', () => {
  expect(hintOf(() => bind('/tmp', '/tmp/not-there'))).toBe(
    'ENOENT: the target /tmp/not-there does not exist: make it first',
  );
  expect(hintOf(() => bind('/tmp/not-there', '/tmp'))).toBe(
    'ENOENT: the source /tmp/not-there does not exist',
  );
});

test('a file cannot be bound onto a directory, nor the reverse', () => {
  shell('touch /tmp/a-file; mkdir /tmp/a-directory');
  expect(hintOf(() => bind('/tmp/a-file', '/tmp/a-directory'))).toMatch(
    /ENOTDIR: \/tmp\/a-file is a file and \/tmp\/a-directory is a directory/,
  );
});

test('what is written to cannot become read-only, and the writer is named', () => {
  shell('mkdir /tmp/busy; mount -t tmpfs x /tmp/busy');
  const fd = openSync('/tmp/busy/open', 'w');
  const hint = hintOf(() => change('/tmp/busy', MS.REMOUNT | MS.RDONLY));
  closeSync(fd);
  expect(hint).toMatch(
    new RegExp(`EBUSY: .*open for writing.*pid ${process.pid}, an open file /tmp/busy/open`),
  );
  change('/tmp/busy', MS.REMOUNT | MS.RDONLY);
});

test('the same filesystem is mounted only once on one place', () => {
  const again = () => call(mountCall('sysfs', '/tmp/sys', 'sysfs', 0, null));
  shell('mkdir /tmp/sys');
  again();
  expect(hintOf(again)).toBe('EBUSY: that sysfs is mounted on /tmp/sys already');
});

test('an image file wants a loop device', () => {
  shell('truncate -s 1M /tmp/image');
  expect(hintOf(() => call(mountCall('/tmp/image', '/tmp/plain', 'ext4', 0, null)))).toMatch(
    /ENOTBLK: ext4 wants a block device, and \/tmp\/image is none.*losetup/,
  );
});

test('options longer than a page', () => {
  const options = `lowerdir=${Array.from({ length: 100 }, (_, n) => `/tmp/${'x'.repeat(50)}/${n}`).join(':')}`;
  expect(hintOf(() => call(mountCall('overlay', '/tmp/plain', 'overlay', 0, options)))).toMatch(
    /: the options are \d+ bytes long, and mount\(2\) takes one page, 4095/,
  );
});

test('a mount namespace that is full is no full disk', () => {
  const code = `
    call(mountCall('tmpfs', '/mnt', 'tmpfs', 0, null));
    fs.mkdirSync('/mnt/a');
    for (let times = 0; times < 20; times++) {
      fs.mkdirSync('/mnt/' + times);
      call(mountCall('/mnt', '/mnt/' + times, null, MS.BIND | MS.REC, null));
    }`;
  expect(hintBelow(['unshare', '-m'], code)).toMatch(
    /ENOSPC: no disk is full: .* may have \d+ \(\/proc\/sys\/fs\/mount-max/,
  );
});

test('fsconfig repeats what the filesystem itself said', () => {
  const fd = call(fsopen('tmpfs', FSOPEN.CLOEXEC));
  expect(hintOf(() => call(fsconfig(fd, FSCONFIG.SET_STRING, 'sizes', '1', 0)))).toMatch(
    /EINVAL: .*Unknown parameter 'sizes'/,
  );
  closeSync(fd);
});
