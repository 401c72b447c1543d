import { expect, test } from 'vitest';
import { hold } from '../../../test/support/held-process.ts';
import { hintBelow, hintOf } from '../../../test/support/provoke.ts';
import { call } from '../call.ts';
import { sethostname } from '../syscalls.ts';

const without = (capability: string) => ['setpriv', '--bounding-set', `-${capability}`];
const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
const write = (pid: number, file: string, text: string) =>
  `call(writeText(fs.openSync('/proc/${pid}/${file}', 'r+'), ${JSON.stringify(text)}))`;

test('a map is written once, whole, and well formed', async () => {
  await using held = await hold({ wrapper: ['unshare', '-U'] });
  const below = (file: string, text: string) => hintBelow([], write(held.pid, file, text));
  expect(below('uid_map', '0 0 10\n5 100 10\n')).toMatch(/EINVAL: uid_map takes at most 340 lines/);
  expect(below('setgroups', 'never')).toBe('EINVAL: it takes "allow" or "deny"');
  expect(below('uid_map', '0 0 10\n')).toBe('the call did not fail');
  expect(below('uid_map', '10 10 10\n')).toMatch(/EPERM: uid_map can be written once, and it has been/);
  expect(below('gid_map', '0 0 10\n')).toBe('the call did not fail');
  expect(below('setgroups', 'deny')).toBe('EPERM: setgroups has to be written before gid_map is');
});

test("without rights outside only one's own id is mapped, and the groups after setgroups is denied", async () => {
  await using held = await hold({ wrapper: [...nobody, 'unshare', '-U'] });
  const below = (file: string, text: string) => hintBelow(nobody, write(held.pid, file, text));
  expect(below('uid_map', '0 65534 2\n')).toMatch(
    /EPERM: .*only one's own id can be mapped \("0 65534 1"\).*newuidmap/,
  );
  expect(below('gid_map', '0 65534 1\n')).toMatch(
    /EPERM: without CAP_SETGID outside.*"deny" has to be written to/,
  );
});

test('groups cannot be set where they are denied, nor before the map is there', () => {
  const set = 'call(setgroups(0, null))';
  expect(hintBelow(['unshare', '-Ur'], set)).toMatch(/EPERM: .*made with setgroups denied/);
  expect(hintBelow(['unshare', '-U'], set)).toMatch(/EPERM: groups can be set only after the gid_map/);
});

test('an id that the user namespace does not know', () => {
  expect(hintBelow(['unshare', '-Ur'], 'call(setuid(1000))')).toMatch(
    /EINVAL: the id has no meaning in this user namespace, whose ids are 0 to 0 \(\/proc\/self\/uid_map\)/,
  );
});

test('the capability that is missing is named', () => {
  expect(hintBelow(without('setuid'), 'call(setuid(1000))')).toMatch(/EPERM: it takes CAP_SETUID/);
  expect(hintBelow(without('setgid'), 'call(setgroups(0, null))')).toMatch(/EPERM: it takes CAP_SETGID/);
  expect(hintBelow(without('sys_chroot'), "call(chroot('/'))")).toMatch(/EPERM: it takes CAP_SYS_CHROOT/);
  expect(hintBelow(without('setpcap'), 'call(prctl(PR.CAPBSET_DROP, 0, 0, 0, 0))')).toMatch(
    /EPERM: it takes CAP_SETPCAP/,
  );
});

test('capabilities that were given up, and sets that contradict each other', () => {
  const set = (effective: number, permitted: number) => `
    const header = Buffer.alloc(8); header.writeUInt32LE(0x20080522);
    const sets = Buffer.alloc(24);
    sets.writeUInt32LE(${effective}, 0); sets.writeUInt32LE(${permitted}, 4);
    call(capset(header, sets));`;
  expect(hintBelow(without('kill'), set(0, 1 << 5))).toMatch(/EPERM: CAP_KILL cannot be permitted again/);
  expect(hintBelow([], set(3, 1))).toMatch(
    /EPERM: CAP_DAC_OVERRIDE cannot be effective without being permitted/,
  );
  expect(hintBelow([], 'call(prctl(PR.CAP_AMBIENT, PR_CAP_AMBIENT.RAISE, CAP.KILL, 0, 0))')).toMatch(
    /EPERM: CAP_KILL has to be permitted and inheritable/,
  );
});

test('a host name: whose, and how long', () => {
  expect(hintBelow(['unshare', '-Ur'], "call(sethostname('x'))")).toMatch(
    /EPERM: the uts namespace belongs to another user namespace.*CLONE_NEWUTS/,
  );
  expect(hintBelow(without('sys_admin'), "call(sethostname('x'))")).toMatch(/EPERM: it takes CAP_SYS_ADMIN/);
  expect(hintOf(() => call(sethostname('x'.repeat(65))))).toBe(
    'EINVAL: the name is 65 bytes long, and may have 64',
  );
});
