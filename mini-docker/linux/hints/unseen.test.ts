import { closeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startChild } from '../child.ts';
import { AT, CLONE, IOCTL, MS, S_IF } from '../constants.ts';
import { reap, watchExit } from '../exits.ts';
import type { Item } from '../program.ts';
import { openPty } from '../pty.ts';
import {
  capset,
  execve,
  ioctl,
  mkdirat,
  mknodat,
  mountCall,
  moveMount,
  openat,
  pivotRoot,
  setgroups,
  sethostname,
  setresuid,
  umount2,
} from '../syscalls.ts';

/** <linux/capability.h> */
const CAPABILITY_VERSION_3 = 0x2008_0522;

/** The error message for a child that has ended. */
async function hintOfChild(items: Item[], flags = 0): Promise<string> {
  const child = startChild(items, { flags });
  await watchExit(child.pidfd);
  reap(child.pidfd);
  closeSync(child.pidfd);
  const error = await child.executed.then(
    () => undefined,
    error => error,
  );
  return `${error?.code}: ${error?.hint}`;
}

const ownMounts = [
  mountCall(null, '/', null, MS.REC | MS.PRIVATE, null),
  mountCall('x', '/mnt', 'tmpfs', 0, null),
];
const inMounts = (...items: Item[]) => hintOfChild([...ownMounts, ...items], CLONE.NEWNS);
const inUser = (...items: Item[]) => hintOfChild(items, CLONE.NEWUSER);

test('mounts', async () => {
  expect(await inMounts(mountCall(null, '/etc', null, MS.PRIVATE, null))).toMatch(
    /EINVAL: the target has to be a mount/,
  );
  expect(await inMounts(moveMount(AT.FDCWD, '/etc', AT.FDCWD, '/mnt', 0))).toMatch(
    /EINVAL: the source has to be a whole/,
  );
  expect(await inMounts(umount2('/etc', 0))).toMatch(/EINVAL: it has to be a mount point/);
  expect(await inMounts(openat(AT.FDCWD, '/mnt', 0, 0), umount2('/mnt', 0))).toMatch(/EBUSY: it is in use/);
  expect(await inMounts(mkdirat(AT.FDCWD, '/mnt/root', 0o755), pivotRoot('/mnt/root', '/mnt/root'))).toMatch(
    /EINVAL: new_root has to be a mount point, put_old/,
  );
  expect(await inUser(mountCall('x', '/mnt', 'tmpfs', 0, null))).toMatch(
    /EPERM: it takes CAP_SYS_ADMIN in the user/,
  );
});

test('programs', async () => {
  expect(await hintOfChild([execve('/no/such', ['x'], [])])).toMatch(
    /ENOENT: it does not exist, or the interpreter/,
  );
  expect(await hintOfChild([execve('/etc', ['x'], [])])).toMatch(
    /EACCES: it is no regular file, has no permission/,
  );
});

test('users, names, devices', async () => {
  expect(await inUser(setgroups(0, null))).toMatch(
    /EPERM: it takes CAP_SETGID, and in a user namespace a gid_map/,
  );
  expect(await inUser(setresuid(7, 7, 7))).toMatch(/EINVAL: the id has no meaning in the user namespace/);
  expect(await inUser(sethostname('x'))).toMatch(
    /EPERM: it takes CAP_SYS_ADMIN in the user namespace that owns the uts/,
  );
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION_3);
  const device = mknodat(AT.FDCWD, '/mnt/null', S_IF.CHR | 0o666, 259);
  expect(await inMounts(capset(header, Buffer.alloc(24)), device)).toMatch(
    /EPERM: device nodes take CAP_MKNOD/,
  );
  const { master, slave } = openPty();
  expect(await hintOfChild([ioctl(slave, IOCTL.TIOCSCTTY, 0)])).toMatch(
    /EPERM: only the leader of a session that has no/,
  );
  for (const fd of [master, slave]) closeSync(fd);
});
