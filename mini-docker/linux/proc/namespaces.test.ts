import { expect, test } from 'vitest';
import { hold } from '../../../test/support/held-process.ts';
import { namespaceInode } from './namespaces.ts';

test('a process shares the namespaces that it did not leave', async () => {
  await using held = await hold({ wrapper: ['unshare', '--uts', '--pid', '--fork'] });
  for (const name of ['uts', 'pid'] as const) {
    expect(namespaceInode(held.pid, name)).not.toBe(namespaceInode('self', name));
  }
  for (const name of ['mnt', 'net', 'user', 'ipc', 'cgroup'] as const) {
    expect(namespaceInode(held.pid, name)).toBe(namespaceInode('self', name));
  }
  expect(namespaceInode('self', 'user')).toBeGreaterThan(0);
});

test('a process that is gone is in no namespace', () => {
  expect(namespaceInode(4_194_304, 'mnt')).toBeUndefined();
});
