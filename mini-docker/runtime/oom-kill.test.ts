import { expect, test } from 'vitest';
import { decodeKernelLog } from '../linux/kernel-log.ts';
import { latestKill } from './oom-kill.ts';

const group = `/mini-docker/${'a'.repeat(64)}`;
const kill = (how: string, task = group) =>
  `<6>[  100.500000] oom-kill:constraint=${how},task_memcg=${task},task=odd,name,pid=7,uid=0`;
const at = '1970-01-01T00:01:40.500Z';
const found = (...lines: string[]) => latestKill(decodeKernelLog(lines.join('\n'), 0), group);

test('the host was out of memory', () => {
  const line = kill('CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom');
  expect(found(line)).toEqual({ at, pid: 7, name: 'odd,name', scope: 'host' });
});

test('its own limit was reached, even if the kernel names the thread in each line', () => {
  const limit = `CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/docker${group}`;
  expect(
    found(
      '<6>[   99.000000][  T12] memory: usage 65536kB, limit 65536kB, failcnt 9',
      kill(limit, `/docker${group}/inner`),
    ),
  ).toEqual({ at, pid: 7, name: 'odd,name', scope: 'container', usage: 64 << 20, limit: 64 << 20 });
});

test('the group above reached its limit', () => {
  const limit = 'CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/mini-docker';
  expect(found(kill(limit))).toEqual({ at, pid: 7, name: 'odd,name', scope: 'group', group: '/mini-docker' });
});

test('kills of others are not its own', () => {
  const other = kill('CONSTRAINT_NONE,nodemask=(null),cpuset=/', `/mini-docker/${'b'.repeat(64)}`);
  expect(found(other, '<6>[  101.000000] something else')).toEqual({});
});
