// Computes readable figures from the counters of GET /containers/ID/stats.

import type { ContainerStats } from '../../formats/engine-api/containers.ts';

export interface Figures {
  cpuPercent: number;
  memory: number;
  memoryLimit: number;
  memoryPercent: number;
  received: number;
  sent: number;
  read: number;
  written: number;
  pids: number;
}

export function figuresOf(stats: ContainerStats): Figures {
  const { memory_stats: mem, networks = {}, blkio_stats, pids_stats } = stats;
  const memory = memoryInUse(mem);
  const memoryLimit = mem.limit ?? 0;
  const sum = (field: 'rx_bytes' | 'tx_bytes') =>
    Object.values(networks).reduce((total, each) => total + each[field], 0);
  const moved = (operation: string) =>
    (blkio_stats?.io_service_bytes_recursive ?? [])
      .filter(each => each.op.toLowerCase() === operation)
      .reduce((total, each) => total + each.value, 0);
  return {
    cpuPercent: cpuPercent(stats),
    memory,
    memoryLimit,
    memoryPercent: memoryLimit === 0 ? 0 : (memory / memoryLimit) * 100,
    received: sum('rx_bytes'),
    sent: sum('tx_bytes'),
    read: moved('read'),
    written: moved('write'),
    pids: pids_stats?.current ?? 0,
  };
}

/** Percent of one cpu since the previous reading: 100 is one cpu, fully used. */
function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - (before.cpu_usage?.total_usage ?? 0);
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const cpus = now.online_cpus || now.cpu_usage.percpu_usage?.length || 1;
  return passed > 0 && used > 0 ? (used / passed) * cpus * 100 : 0;
}

/** Memory without the part of the page cache that the kernel would reclaim first. */
function memoryInUse({ usage = 0, stats = {} }: ContainerStats['memory_stats']): number {
  const idle = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  return idle < usage ? usage - idle : usage;
}
