import { expect, test } from 'vitest';
import { hold } from '../../../test/support/held-process.ts';
import { CAP } from '../constants.ts';
import { decodeStatus, readStatus } from './status.ts';

test('a process that gave up its user, groups and capabilities shows it', async () => {
  await using held = await hold({
    wrapper: [
      ...['setpriv', '--reuid', '1234', '--regid', '2345', '--groups', '5,7', '--no-new-privs'],
      ...['--inh-caps', '-all', '--bounding-set', '-sys_boot,-mknod'],
    ],
    script: 'umask 027',
  });
  const status = readStatus(held.pid)!;
  expect(status.pid).toBe(held.pid);
  expect(status.name).toBe('sh');
  expect(status.uid).toEqual({ real: 1234, effective: 1234, saved: 1234, filesystem: 1234 });
  expect(status.gid).toEqual({ real: 2345, effective: 2345, saved: 2345, filesystem: 2345 });
  expect(status.groups).toEqual([5, 7]);
  expect(status.umask).toBe(0o027);
  expect(status.noNewPrivs).toBe(true);
  expect(status.capabilities.effective).toBe(0n);
  const bounding = (capability: number) => (status.capabilities.bounding >> BigInt(capability)) & 1n;
  expect([CAP.SYS_BOOT, CAP.MKNOD, CAP.CHOWN].map(bounding)).toEqual([0n, 0n, 1n]);
  expect(status.seccomp).toBe('disabled');
  expect(status.rss).toBeGreaterThan(100_000);
});

test('a process in a pid namespace has a pid on each side of it', async () => {
  await using held = await hold({ wrapper: ['unshare', '--pid', '--fork'] });
  expect(readStatus(held.pid)!.nspid).toEqual([held.pid, 1]);
});

test('a zombie, which has neither memory nor umask', () => {
  const status = decodeStatus(
    'Name:\tod\\nd \\\\ name\nState:\tZ (zombie)\nTgid:\t77\nPid:\t77\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \n',
  );
  expect(status).toMatchObject({
    name: 'od\nd \\ name',
    state: 'Z',
    pid: 77,
    ppid: 1,
    groups: [],
    nspid: [77],
  });
  expect(status.rss).toBeUndefined();
  expect(status.umask).toBeUndefined();
});

test('this process, and one that is not there', () => {
  expect(readStatus()).toMatchObject({
    pid: process.pid,
    ppid: process.ppid,
    uid: { effective: process.geteuid?.() },
  });
  expect(readStatus(4_194_304)).toBeUndefined();
});
