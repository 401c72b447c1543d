// GET /containers/ID/stats

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerStats, CpuStats, NetworkStats } from '../../formats/engine-api/containers.ts';
import { encodeTimestamp, NEVER_TIME, nowNanoseconds } from '../../formats/timestamp.ts';
import { readQuietly } from '../../linux/proc/file.ts';
import type { Stats } from '../../runtime/container.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';

/** Milliseconds between two readings. */
const INTERVAL = 1000;

interface Reading {
  time: string;
  stats: Stats;
  systemCpu: number;
}

/**
 * One reading a second, each with the one before it for comparison. A container that is not running gives
 * zeros.
 */
export async function* containerStats(
  context: EngineContext,
  live: LiveContainer,
  options: { stream: boolean; oneShot: boolean },
): AsyncGenerator<ContainerStats> {
  let before = await read(live);
  if (options.oneShot || before === undefined) {
    yield shaped(live, before, undefined);
    if (!options.stream) return;
  } else if (options.stream) {
    // Clients show something immediately, and recognise a reading without a predecessor.
    yield shaped(live, before, undefined);
  }
  for (;;) {
    await sleep(INTERVAL, undefined, { signal: context.closing }).catch(() => {});
    if (context.closing.aborted || live.removed) return;
    const now = await read(live);
    yield shaped(live, now, before);
    if (!options.stream) return;
    before = now;
  }
}

async function read(live: LiveContainer): Promise<Reading | undefined> {
  const stats = await readStats(live);
  return stats && { time: encodeTimestamp(nowNanoseconds()), stats, systemCpu: systemCpu() };
}

/** undefined for a container that is not running. */
export async function readStats(live: LiveContainer): Promise<Stats | undefined> {
  try {
    return await live.run?.container.stats();
  } catch {
    // It exited during the reading.
    return undefined;
  }
}

function shaped(live: LiveContainer, now: Reading | undefined, before: Reading | undefined): ContainerStats {
  const stats = now?.stats;
  const limit = stats?.pids.limit;
  return {
    name: `/${live.name}`,
    id: live.id,
    read: now?.time ?? NEVER_TIME,
    preread: before?.time ?? NEVER_TIME,
    pids_stats: stats ? { current: stats.pids.current, ...(limit === undefined ? {} : { limit }) } : {},
    blkio_stats: blkio(stats),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpu(now),
    precpu_stats: cpu(before),
    memory_stats: stats
      ? {
          usage: stats.memory.usage,
          ...(stats.memory.maxUsage === undefined ? {} : { max_usage: stats.memory.maxUsage }),
          stats: stats.memory.stats,
          ...(stats.memory.failcnt === undefined ? {} : { failcnt: stats.memory.failcnt }),
          limit: stats.memory.limit,
        }
      : {},
    ...(live.run ? { networks: networkStats(live) } : {}),
  };
}

function cpu(reading: Reading | undefined): CpuStats {
  if (!reading) {
    return {
      cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
      throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
    };
  }
  const { total, user, system, perCpu, throttling, onlineCpus } = reading.stats.cpu;
  return {
    cpu_usage: {
      total_usage: total,
      ...(perCpu ? { percpu_usage: perCpu } : {}),
      usage_in_kernelmode: system,
      usage_in_usermode: user,
    },
    system_cpu_usage: reading.systemCpu,
    online_cpus: onlineCpus,
    throttling_data: {
      periods: throttling.periods,
      throttled_periods: throttling.throttledPeriods,
      throttled_time: throttling.throttledTime,
    },
  };
}

function blkio(stats: Stats | undefined): ContainerStats['blkio_stats'] {
  const entries = (list: Stats['blkio']['serviceBytes'] | undefined) =>
    list && list.length > 0 ? list.map(entry => ({ ...entry, op: entry.op.toLowerCase() })) : null;
  return {
    io_service_bytes_recursive: entries(stats?.blkio.serviceBytes),
    io_serviced_recursive: entries(stats?.blkio.serviced),
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}

/** Traffic on the container's own interfaces, from /proc/PID/net/dev. proc_pid_net(5) */
export function networkStats(live: LiveContainer): Record<string, NetworkStats> {
  if (/^(host|container:)/.test(live.record.hostConfig.NetworkMode ?? '')) return {};
  const text = readQuietly(`/proc/${live.run!.container.pid}/net/dev`);
  if (text === undefined) return {};
  const found: Record<string, NetworkStats> = {};
  for (const line of text.split('\n').slice(2)) {
    const [name, ...numbers] = line.replace(':', ' ').trim().split(/\s+/);
    if (!name || name === 'lo' || numbers.length < 16) continue;
    const at = (index: number) => Number(numbers[index]);
    found[name] = {
      rx_bytes: at(0),
      rx_packets: at(1),
      rx_errors: at(2),
      rx_dropped: at(3),
      tx_bytes: at(8),
      tx_packets: at(9),
      tx_errors: at(10),
      tx_dropped: at(11),
    };
  }
  return found;
}

/**
 * Nanoseconds that all cpus of the host have spent, including idle time: /proc/stat counts ticks of 10 ms.
 * proc_stat(5)
 */
function systemCpu(): number {
  const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/);
  return ticks.slice(0, 8).reduce((sum, each) => sum + Number(each), 0) * 10_000_000;
}
