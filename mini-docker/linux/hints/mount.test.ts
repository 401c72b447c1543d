import { closeSync, openSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { enterOwnMounts, shell } from '../../../test/support/own-mounts.ts';
import { hintBelow, hintOf } from '../../../test/support/provoke.ts';
import { call } from '../call.ts';
import { FSCONFIG, FSOPEN, MS } from '../constants.ts';
import { fsconfig, fsopen, mountCall } from '../syscalls.ts';

beforeAll(enterOwnMounts);

const bind = (source: string, target: string) => call(mountCall(source, target, null, MS.BIND, null));
const change = (target: string, flags: number) => call(mountCall(null, target, null, flags, null));

test('what is remounted, or changes its propagation, has to be a mount point', () => {
  shell('mkdir /srv/plain');
  expect(hintOf(() => change('/srv/plain', MS.BIND | MS.REMOUNT | MS.RDONLY))).toMatch(
    /EINVAL: \/srv\/plain is not a mount point, .*remounted: bind it onto itself first/,
  );
  expect(hintOf(() => change('/srv/plain', MS.PRIVATE))).toMatch(
    /\/srv\/plain is not a mount point.*made private/,
  );
  shell('ln -s plain /srv/link');
  bind('/srv/plain', '/srv/plain');
  change('/srv/link', MS.PRIVATE);
});

test('what is moved has to be a mount, and its parent not shared', () => {
  shell('mkdir -p /srv/shared /srv/elsewhere; mount -t tmpfs x /srv/shared; mount --make-shared /srv/shared');
  shell('mkdir /srv/shared/below; mount -t tmpfs y /srv/shared/below');
  const move = (source: string) => call(mountCall(source, '/srv/elsewhere', null, MS.MOVE, null));
  expect(hintOf(() => move('/srv'))).toBe(
    'ELOOP: /srv/elsewhere lies on /srv, the mount that is to be moved there',
  );
  expect(hintOf(() => move('/srv/elsewhere'))).toMatch(/EINVAL: \/srv\/elsewhere is not a mount point/);
  expect(hintOf(() => move('/srv/shared/below'))).toMatch(/lies on \/srv\/shared, which is shared/);
  change('/srv/shared', MS.PRIVATE);
  move('/srv/shared/below');
});

test('what was made unbindable cannot be bound, nor a mount namespace into itself', () => {
  shell('mkdir -p /srv/unbindable /srv/target; mount -t tmpfs x /srv/unbindable');
  change('/srv/unbindable', MS.UNBINDABLE);
  expect(hintOf(() => bind('/srv/unbindable', '/srv/target'))).toMatch(/EINVAL: .*made unbindable/);
  shell('touch /srv/file');
  expect(hintOf(() => bind('/proc/thread-self/ns/mnt', '/srv/file'))).toMatch(
    /is a mount namespace, and can be bound only/,
  );
});

test('a filesystem that the kernel does not have is named', () => {
  expect(hintOf(() => call(mountCall('none', '/srv', 'overlayfs2', 0, null)))).toMatch(
    /ENODEV: this kernel has no filesystem "overlayfs2".*modprobe/,
  );
  expect(hintOf(() => call(fsopen('overlayfs2', FSOPEN.CLOEXEC)))).toMatch(/ENODEV: .*"overlayfs2"/);
});

test('of source and target, the one that is missing is named', () => {
  expect(hintOf(() => bind('/srv', '/srv/not-there'))).toBe(
    'ENOENT: the target /srv/not-there does not exist: make it first',
  );
  expect(hintOf(() => bind('/srv/not-there', '/srv'))).toBe(
    'ENOENT: the source /srv/not-there does not exist',
  );
});

test('a file cannot be bound onto a directory, nor the reverse', () => {
  shell('touch /srv/a-file; mkdir /srv/a-directory');
  expect(hintOf(() => bind('/srv/a-file', '/srv/a-directory'))).toMatch(
    /ENOTDIR: \/srv\/a-file is a file and \/srv\/a-directory is a directory/,
  );
});

test('what is written to cannot become read-only, and the writer is named', () => {
  shell('mkdir /srv/busy; mount -t tmpfs x /srv/busy');
  const fd = openSync('/srv/busy/open', 'w');
  const hint = hintOf(() => change('/srv/busy', MS.REMOUNT | MS.RDONLY));
  closeSync(fd);
  expect(hint).toMatch(
    new RegExp(`EBUSY: .*open for writing.*pid ${process.pid}, an open file /srv/busy/open`),
  );
  change('/srv/busy', MS.REMOUNT | MS.RDONLY);
});

test('the same filesystem is mounted only once on one place', () => {
  const again = () => call(mountCall('sysfs', '/srv/sys', 'sysfs', 0, null));
  shell('mkdir /srv/sys');
  again();
  expect(hintOf(again)).toBe('EBUSY: that sysfs is mounted on /srv/sys already');
});

test('an image file wants a loop device', () => {
  shell('truncate -s 1M /srv/image');
  expect(hintOf(() => call(mountCall('/srv/image', '/srv/plain', 'ext4', 0, null)))).toMatch(
    /ENOTBLK: ext4 wants a block device, and \/srv\/image is none.*losetup/,
  );
});

test('options longer than a page', () => {
  const options = `lowerdir=${Array.from({ length: 100 }, (_, n) => `/srv/${'x'.repeat(50)}/${n}`).join(':')}`;
  expect(hintOf(() => call(mountCall('overlay', '/srv/plain', 'overlay', 0, options)))).toMatch(
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
