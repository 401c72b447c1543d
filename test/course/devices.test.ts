// The devices that a sandbox of the course may not open: here, and under cgroup v2 by test/cgroups/v2.long.test.ts.
import { afterAll, expect, test } from 'vitest';
import { capture } from '../../learn/sandbox/capture.ts';
import { Sandbox } from '../../learn/sandbox/sandbox.ts';

const sandbox = await Sandbox.create();
afterAll(() => sandbox.close());

test.each([
  ['a disk', 'b 7 0'],
  ['the kernel log', 'c 1 11'],
])('a sandbox of the course may not read %s', async (what, device) => {
  const node = `/dev/${device.replaceAll(' ', '-')}`;
  const { stdout, stderr } = await capture(sandbox, [
    'sh',
    '-c',
    `mknod ${node} ${device} && head -c 1 ${node}`,
  ]);
  expect(stdout, what).toBe('');
  expect(stderr).toContain('Operation not permitted');
});

test('a sandbox of the course may read a device that is no disk', async () => {
  const { stdout, stderr } = await capture(sandbox, [
    'sh',
    '-c',
    'mknod /dev/nought c 1 5 && head -c 1 /dev/nought | wc -c',
  ]);
  expect([stdout.trim(), stderr]).toEqual(['1', '']);
});
