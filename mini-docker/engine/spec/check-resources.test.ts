import { expect, test } from 'vitest';
import { testFacts } from '../testing/facts.ts';
import { checkResources } from './check-resources.ts';

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
