import { beforeAll, beforeEach, expect, test } from 'vitest';
import { enterOwnMounts, shell } from '../../../test/support/own-mounts.ts';
import { hintOf } from '../../../test/support/provoke.ts';
import { call } from '../call.ts';
import { mountCall, umount2 } from '../syscalls.ts';

beforeAll(enterOwnMounts);
beforeEach(() => {
  shell('rm -rf /srv/o; mkdir -p /srv/o; cd /srv/o; mkdir lower lower2 upper work m');
});

const overlay = (options: string, target = '/srv/o/m') =>
  call(mountCall('overlay', target, 'overlay', 0, options.replaceAll('@', '/srv/o')));
const whole = 'lowerdir=@/lower,upperdir=@/upper,workdir=@/work';

test('more than 500 layers', () => {
  shell('ln -s . /srv/o/l');
  process.chdir('/srv/o');
  const options = `lowerdir=${Array.from({ length: 501 }, () => 'lower').join(':')}`;
  expect(hintOf(() => overlay(options))).toMatch(
    /EINVAL: .*at most 500 lower directories, and these are 501/,
  );
  process.chdir('/');
});

test('upperdir without workdir, and no lowerdir at all', () => {
  expect(hintOf(() => overlay('lowerdir=@/lower,upperdir=@/upper'))).toMatch(
    /EINVAL: upperdir needs a workdir/,
  );
  expect(hintOf(() => overlay('upperdir=@/upper,workdir=@/work'))).toMatch(
    /EINVAL: an overlay needs at least one/,
  );
});

test('the directory that is missing is named', () => {
  expect(hintOf(() => overlay('lowerdir=@/lower:@/gone,upperdir=@/upper,workdir=@/work'))).toBe(
    "ENOENT: /srv/o/gone, one of the overlay's directories, does not exist",
  );
});

test('an upperdir on an overlay, and one overlay on another too many', () => {
  overlay(whole);
  shell('mkdir /srv/o/m/u /srv/o/m/w /srv/o/m2 /srv/o/m3');
  expect(hintOf(() => overlay('lowerdir=@/lower2,upperdir=@/m/u,workdir=@/m/w', '/srv/o/m2'))).toMatch(
    /EINVAL: \/srv\/o\/m\/u is itself on overlayfs/,
  );
  overlay('lowerdir=@/m:@/lower2', '/srv/o/m2');
  expect(hintOf(() => overlay('lowerdir=@/m2:@/lower2', '/srv/o/m3'))).toMatch(
    /EINVAL: lowerdir \/srv\/o\/m2 is on overlayfs, and filesystems stack two deep/,
  );
  call(umount2('/srv/o/m2', 0));
  call(umount2('/srv/o/m', 0));
});

test('upperdir and workdir on different mounts, and in one another', () => {
  shell('mount -t tmpfs x /srv/o/work');
  expect(hintOf(() => overlay(whole))).toMatch(/EINVAL: .*are on different mounts/);
  call(umount2('/srv/o/work', 0));
  shell('mkdir /srv/o/upper/work');
  expect(hintOf(() => overlay('lowerdir=@/lower,upperdir=@/upper,workdir=@/upper/work'))).toMatch(
    /EINVAL: .*lie in one another/,
  );
});

test('an upperdir that cannot be written', () => {
  shell('mkdir /srv/o/ro; mount -t tmpfs x /srv/o/ro; cd /srv/o/ro; mkdir u w; mount -o remount,ro .');
  expect(hintOf(() => overlay('lowerdir=@/lower,upperdir=@/ro/u,workdir=@/ro/w'))).toMatch(
    /EINVAL: upperdir \/srv\/o\/ro\/u is on a mount that is read-only/,
  );
  call(umount2('/srv/o/ro', 0));
});

test('a layer inside of another', () => {
  shell('mkdir /srv/o/lower/inner');
  expect(hintOf(() => overlay('lowerdir=@/lower:@/lower/inner'))).toMatch(
    /ELOOP: \/srv\/o\/lower\/inner lies inside of another/,
  );
});

test('an upperdir of other layers, and one that is in use', () => {
  overlay(`${whole},index=on`);
  shell('mkdir /srv/o/m2');
  expect(hintOf(() => overlay(`${whole},index=on`, '/srv/o/m2'))).toMatch(
    /EBUSY: .*in use by another overlay/,
  );
  call(umount2('/srv/o/m', 0));
  expect(hintOf(() => overlay('lowerdir=@/lower2,upperdir=@/upper,workdir=@/work,index=on'))).toMatch(
    /ESTALE: upperdir \/srv\/o\/upper was used with other lower directories/,
  );
});
