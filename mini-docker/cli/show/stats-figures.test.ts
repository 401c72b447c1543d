import { expect, test } from 'vitest';
import type { ContainerStats, CpuStats } from '../../formats/engine-api/containers.ts';
import { figuresOf } from './stats-figures.ts';

const cpu = (total: number, system: number): CpuStats => ({
  cpu_usage: { total_usage: total, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  system_cpu_usage: system,
  online_cpus: 2,
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
});

const stats = (changes: Partial<ContainerStats>): ContainerStats => ({
  name: '/web',
  id: '0',
  read: '',
  preread: '',
  pids_stats: { current: 3 },
  blkio_stats: {},
  num_procs: 0,
  storage_stats: {},
  cpu_stats: cpu(150, 2000),
  precpu_stats: cpu(50, 1000),
  memory_stats: { usage: 1000, limit: 4000, stats: { total_inactive_file: 600 } },
  ...changes,
});

test('a tenth of the time of two cpus is 20 %', () => {
  expect(figuresOf(stats({})).cpuPercent).toBeCloseTo(20);
});

test('the page cache that the kernel would give back does not count as used, in cgroup v1 and v2', () => {
  expect(figuresOf(stats({}))).toMatchObject({ memory: 400, memoryPercent: 10 });
  const v2 = figuresOf(stats({ memory_stats: { usage: 1000, limit: 0, stats: { inactive_file: 100 } } }));
  expect(v2).toMatchObject({ memory: 900, memoryPercent: 0 });
});

test('networks and disks are added up', () => {
  const link = { rx_packets: 0, rx_errors: 0, rx_dropped: 0, tx_packets: 0, tx_errors: 0, tx_dropped: 0 };
  const entry = (op: string, value: number) => ({ major: 8, minor: 0, op, value });
  const figures = figuresOf(
    stats({
      networks: {
        eth0: { ...link, rx_bytes: 1, tx_bytes: 2 },
        eth1: { ...link, rx_bytes: 10, tx_bytes: 20 },
      },
      blkio_stats: {
        io_service_bytes_recursive: [
          entry('Read', 5),
          entry('read', 6),
          entry('Write', 7),
          entry('Total', 18),
        ],
      },
    }),
  );
  expect(figures).toMatchObject({ received: 11, sent: 22, read: 11, written: 7, pids: 3 });
});

test('a container that has just started, without a reading before, gives figures', () => {
  const first = stats({ precpu_stats: { cpu_usage: {} } as CpuStats, memory_stats: {} });
  expect(figuresOf(first)).toMatchObject({ memory: 0, memoryPercent: 0 });
});
