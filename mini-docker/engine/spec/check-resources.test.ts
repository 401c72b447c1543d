import { expect, test } from 'vitest';
import type { ContainerDefaults } from '../../daemon/options.ts';
import { testFacts } from '../testing/facts.ts';
import { checkResources } from './check-resources.ts';
import { withHostDefaults } from './host-defaults.ts';
import { hostWarnings } from './host-warnings.ts';

test('limits that make sense are let through', () => {
  checkResources({}, testFacts);
  checkResources(
    {
      Memory: 64 << 20,
      MemorySwap: -1,
      MemoryReservation: 32 << 20,
      NanoCpus: 5e8,
      CpusetCpus: '0-1',
      BlkioWeight: 10,
    },
    testFacts,
  );
  checkResources({ CpuPeriod: 100_000, CpuQuota: -1, CpusetMems: '0' }, testFacts);
});

test('each limit that makes no sense is refused in words that name it', () => {
  const refused: [object, string][] = [
    [{ Memory: 4096 }, 'Minimum memory limit allowed is 6MB'],
    [{ Memory: 64 << 20, MemorySwap: 32 << 20 }, 'Minimum memoryswap limit'],
    [{ MemorySwap: 32 << 20 }, 'always set the Memory limit'],
    [{ MemorySwappiness: 101 }, 'swappiness range is 0-100'],
    [{ Memory: 16 << 20, MemoryReservation: 32 << 20 }, 'memory reservation'],
    [{ NanoCpus: 3e9 }, 'range of CPUs is from 0.01 to 2.00'],
    [{ NanoCpus: 1e9, CpuQuota: 1000 }, 'Nano CPUs and CPU Quota'],
    [{ CpuPeriod: 999 }, 'CPU cfs period'],
    [{ CpuQuota: 10 }, 'CPU cfs quota'],
    [{ CpusetCpus: '0-7' }, 'Requested CPUs are not available - requested 0-7, available: 0-1'],
    [{ CpusetCpus: 'x' }, 'Invalid value x for cpuset cpus'],
    [{ CpusetMems: '1' }, 'Requested memory nodes are not available'],
    [{ BlkioWeight: 5 }, 'blkio weight'],
    [{ Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 5 }] }, 'ulimit nofile'],
    [{ CpuShares: -1 }, 'CPU shares'],
  ];
  for (const [limits, message] of refused) expect(() => checkResources(limits, testFacts)).toThrow(message);
});

test('weights of block I/O are discarded with a warning where groups have none', () => {
  const asked = { BlkioWeight: 5, BlkioWeightDevice: [{ Path: '/dev/null', Weight: 5 }] };
  const facts = { ...testFacts, blkioWeight: false };
  const host = withHostDefaults(asked, facts, {} as ContainerDefaults);
  checkResources(host, facts);
  expect(host).toMatchObject({ BlkioWeight: 0, BlkioWeightDevice: [] });
  expect(hostWarnings(host, facts, asked)).toEqual([
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
    'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
  ]);
});
