import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hold } from '../../../test/support/held-process.ts';
import { hintBelow, hintOf } from '../../../test/support/provoke.ts';
import { call } from '../call.ts';
import { CLONE } from '../constants.ts';
import { ERRNO } from '../errno.ts';
import { hintFor } from '../hints.ts';
import { cloneCall, pidfdOpen, setns, unshare } from '../syscalls.ts';

const without = (capability: string) => ['setpriv', '--bounding-set', `-${capability}`];

test('a process with several threads cannot change its user or time namespace', () => {
  expect(hintOf(() => call(unshare(CLONE.NEWUSER)))).toMatch(
    /EINVAL: .*several threads.*cannot change its user/,
  );
  const time = openSync('/proc/self/ns/time', 'r');
  expect(hintOf(() => call(setns(time, CLONE.NEWTIME)))).toMatch(
    /EUSERS: there are not too many users: .*several threads/,
  );
  closeSync(time);
});

test('a mount and a user namespace cannot be entered by a process with several threads', async () => {
  await using held = await hold({ wrapper: ['unshare', '-Urm'] });
  const join = (name: string, flag: number) => {
    const fd = openSync(`/proc/${held.pid}/ns/${name}`, 'r');
    const hint = hintOf(() => call(setns(fd, flag)));
    closeSync(fd);
    return hint;
  };
  expect(join('user', 0)).toMatch(/EINVAL: .*several threads.*cannot enter a user namespace/);
  expect(join('mnt', CLONE.NEWNS)).toMatch(/EINVAL: .*several threads.*cannot enter a mount namespace/);
  expect(join('uts', CLONE.NEWIPC)).toBe('EINVAL: the descriptor is a uts namespace, which is CLONE_NEWUTS');
  const pidfd = call(pidfdOpen(held.pid, 0));
  expect(hintOf(() => call(setns(pidfd, CLONE.NEWUSER | CLONE.NEWNS)))).toMatch(/EINVAL: .*several threads/);
  closeSync(pidfd);
});

test('a namespace is not entered twice, not from below, and not through any descriptor', () => {
  const file = openSync('/dev/null', 'r');
  expect(hintOf(() => call(setns(file, 0)))).toBe(
    'EINVAL: /dev/null is neither a namespace (/proc/PID/ns/…) nor a pidfd',
  );
  closeSync(file);
  const user = openSync('/proc/self/ns/user', 'r');
  expect(hintOf(() => call(setns(user, 0)))).toMatch(/EINVAL: the process is in that user namespace already/);
  closeSync(user);
  const upwards = `call(setns(fs.openSync('/proc/${process.pid}/ns/pid'), CLONE.NEWPID))`;
  expect(hintBelow(['unshare', '-pf'], upwards)).toMatch(/EINVAL: a process can only go down/);
});

test('a process that has ended has no namespaces to enter', async () => {
  const child = spawn('true');
  const pidfd = call(pidfdOpen(child.pid!, 0));
  await once(child, 'exit');
  expect(hintOf(() => call(setns(pidfd, CLONE.NEWUTS)))).toMatch(
    /ESRCH: the process that the pidfd stands for has ended/,
  );
  closeSync(pidfd);
});

test('entering wants rights on both sides', async () => {
  await using held = await hold({ wrapper: ['unshare', '-u'] });
  const enter = `call(setns(fs.openSync('/proc/${held.pid}/ns/uts'), CLONE.NEWUTS))`;
  expect(hintBelow(without('sys_admin'), enter)).toMatch(/EPERM: it takes CAP_SYS_ADMIN both here and/);
});

test('new namespaces want CAP_SYS_ADMIN, or a user namespace', () => {
  expect(hintBelow(without('sys_admin'), 'call(unshare(CLONE.NEWUTS | CLONE.NEWIPC))')).toMatch(
    /EPERM: CLONE_NEWUTS\|CLONE_NEWIPC takes CAP_SYS_ADMIN: run as root, or add CLONE_NEWUSER/,
  );
});

test('after a chroot, and without a user of its own, a process gets no user namespace', () => {
  const clone = 'call(cloneCall(CLONE.NEWUSER | SIG.CHLD, 0, null, 0, 0))';
  const outside = 'mount -t tmpfs x /mnt; mkdir /mnt/proc; mount -t proc x /mnt/proc; exec "$@"';
  expect(hintBelow(['unshare', '-m', 'sh', '-c', outside, 'sh'], `call(chroot('/mnt')); ${clone}`)).toMatch(
    /EPERM: after chroot\(2\) no user namespace can be made/,
  );
  expect(hintBelow(['unshare', '-U'], clone)).toMatch(
    /EPERM: .*has no number in its own user namespace.*uid_map first/,
  );
});

test('a kind of namespaces that is switched off, and too many of them, is no full disk', () => {
  // The limits belong to a user namespace: one of our own can be set as we like.
  const limited = (limit: number, code: string) =>
    hintBelow(
      ['unshare', '-Ur', 'sh', '-c', `echo ${limit} >/proc/sys/user/max_uts_namespaces; exec "$@"`, 'sh'],
      code,
    );
  expect(limited(0, 'call(unshare(CLONE.NEWUTS))')).toBe(
    'ENOSPC: no disk is full: uts namespaces are switched off (/proc/sys/user/max_uts_namespaces is 0)',
  );
  expect(limited(1, 'call(unshare(CLONE.NEWUTS)); call(unshare(CLONE.NEWUTS))')).toMatch(
    /ENOSPC: no disk is full: too many namespaces \(\/proc\/sys\/user\/max_uts_namespaces\)/,
  );
});

test('a pid namespace whose pid 1 has ended accepts no process', () => {
  const code = "call(unshare(CLONE.NEWPID)); spawnSync('true'); call(cloneCall(SIG.CHLD, 0, null, 0, 0))";
  expect(hintBelow([], code)).toMatch(/ENOMEM: memory is not short: the pid namespace .* has lost its pid 1/);
});

test('a mount namespace of its own and a shared root directory exclude each other', () => {
  expect(hintOf(() => call(cloneCall(CLONE.NEWNS | CLONE.FS, 0, null, 0, 0)))).toMatch(
    /EINVAL: CLONE_FS shares root/,
  );
});

test('nothing is said of what is not so', () => {
  expect(hintFor(unshare(CLONE.NEWUTS), ERRNO.EINVAL!)).toBeUndefined();
  expect(hintFor(setns(99_999, 0), ERRNO.EINVAL!)).toBeUndefined();
});
