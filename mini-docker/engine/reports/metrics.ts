// GET /metrics: the engine and its containers for Prometheus. Names are dockerd's (engine_daemon_…) and cAdvisor's
// (container_…), so that existing dashboards work.

import { availableParallelism, totalmem } from 'node:os';
import { VERSION } from '../../formats/program-version.ts';
import { encodeMetrics, type Metric, type Sample } from '../../formats/prometheus.ts';
import type { Stats } from '../../runtime/container.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { networkStats, readStats } from './stats.ts';

export async function metrics(context: EngineContext): Promise<string> {
  const running: Running[] = [];
  for (const live of context.containers) {
    const stats = await readStats(live);
    if (stats !== undefined) running.push({ labels: labelsOf(live), stats, live });
  }
  return encodeMetrics([
    ...engineMetrics(context),
    ...containerMetrics(context, running),
    ...manyEach(running),
  ]);
}

type Labels = Record<string, string>;

interface Running {
  labels: Labels;
  stats: Stats;
  live: LiveContainer;
}

const labelsOf = ({ id, record }: LiveContainer): Labels => ({
  id,
  name: record.name,
  image: record.config.Image ?? '',
});

function engineMetrics({ containers, events, measures, facts }: EngineContext): Metric[] {
  const statuses = [...containers].map(({ record }) => record.state.status);
  const state = (name: string, ...wanted: string[]): Sample => ({
    labels: { state: name },
    value: statuses.filter(status => wanted.includes(status)).length,
  });
  const cpu = process.cpuUsage();
  return [
    metric('engine_daemon_engine_info', "The engine's version and the kernel's", [
      { labels: { version: VERSION, kernel: facts.kernel, graphdriver: 'overlay2', os: 'linux' }, value: 1 },
    ]),
    metric('engine_daemon_engine_cpus_cpus', "The host's processors", one(availableParallelism())),
    metric('engine_daemon_engine_memory_bytes', "The host's memory", one(totalmem())),
    metric('engine_daemon_container_states_containers', 'Containers by state', [
      state('running', 'running', 'restarting'),
      state('paused', 'paused'),
      state('stopped', 'created', 'exited', 'dead'),
    ]),
    {
      name: 'engine_daemon_container_actions_seconds',
      type: 'histogram',
      help: 'How long each action on a container took',
      samples: [...measures.actions].flatMap(([action, durations]) => durations.samples({ action })),
    },
    metric('engine_daemon_events_total', 'Events', one(events.count)),
    metric(
      'engine_daemon_events_subscribers_total',
      'Clients that follow events',
      one(events.listeners),
      'gauge',
    ),
    metric('engine_daemon_health_checks_total', 'Health checks', one(measures.healthChecks.done)),
    metric(
      'engine_daemon_health_checks_failed_total',
      'Health checks that failed',
      one(measures.healthChecks.failed),
    ),
    metric(
      'engine_daemon_http_requests_total',
      'Requests to the API that were answered',
      [...measures.requests].map(([key, value]) => {
        const [method, code] = key.split(' ') as [string, string];
        return { labels: { method, code }, value };
      }),
    ),
    metric('process_cpu_seconds_total', "The daemon's processor time", one((cpu.user + cpu.system) / 1e6)),
    metric('process_resident_memory_bytes', "The daemon's memory", one(process.memoryUsage.rss())),
    metric('process_start_time_seconds', "The daemon's start, seconds since 1970", one(measures.startedAt)),
  ];
}

/** Metrics with one sample for each running container. */
const OF_RUNNING: readonly (readonly [name: string, help: string, value: (stats: Stats) => number])[] = [
  ['container_cpu_usage_seconds_total', 'Processor time', ({ cpu }) => cpu.total / 1e9],
  ['container_cpu_user_seconds_total', 'Processor time in programs', ({ cpu }) => cpu.user / 1e9],
  ['container_cpu_system_seconds_total', 'Processor time in the kernel', ({ cpu }) => cpu.system / 1e9],
  [
    'container_cpu_cfs_throttled_seconds_total',
    'Time in which the quota was used up',
    ({ cpu }) => cpu.throttling.throttledTime / 1e9,
  ],
  ['container_memory_usage_bytes', 'Memory, with the page cache', ({ memory }) => memory.usage],
  [
    'container_memory_working_set_bytes',
    'Memory without inactive files',
    ({ memory: { usage, stats } }) =>
      Math.max(0, usage - (stats.total_inactive_file ?? stats.inactive_file ?? 0)),
  ],
  ['container_processes', 'Processes and threads', ({ pids }) => pids.current],
  ['container_fs_reads_bytes_total', 'Bytes read from disks', stats => bytes(stats, 'Read')],
  ['container_fs_writes_bytes_total', 'Bytes written to disks', stats => bytes(stats, 'Write')],
];

const HEALTH: Record<string, number> = { healthy: 1, unhealthy: 0 };

function containerMetrics({ containers }: EngineContext, running: readonly Running[]): Metric[] {
  const of = (lives: Iterable<LiveContainer>, value: (live: LiveContainer) => number | undefined): Sample[] =>
    [...lives].flatMap(live => {
      const found = value(live);
      return found === undefined ? [] : [{ labels: labelsOf(live), value: found }];
    });
  const lives = running.map(({ live }) => live);
  return [
    ...OF_RUNNING.map(([name, help, value]) =>
      metric(
        name,
        help,
        running.map(({ labels, stats }) => ({ labels, value: value(stats) })),
      ),
    ),
    metric(
      'container_spec_memory_limit_bytes',
      'The limit of memory; 0: none',
      of(lives, ({ record }) => record.hostConfig.Memory ?? 0),
    ),
    metric(
      'container_start_time_seconds',
      'Start, seconds since 1970',
      of(lives, ({ record }) => Date.parse(record.state.startedAt) / 1000),
    ),
    metric(
      'container_oom_events_total',
      'Kills for want of memory since the daemon began',
      of(containers, ({ oomEvents }) => oomEvents),
    ),
    metric(
      'container_restarts_total',
      'Restarts by the restart policy',
      of(containers, ({ record }) => record.state.restartCount),
    ),
    metric(
      'container_health_status',
      'Health: 1 healthy, 0 unhealthy; no sample before the first result',
      of(containers, ({ record }) => HEALTH[record.state.health?.Status ?? '']),
    ),
  ];
}

/** Metrics with several samples for each container. */
function manyEach(running: readonly Running[]): Metric[] {
  const traffic = running.flatMap(({ labels, live }) =>
    Object.entries(networkStats(live)).map(([name, stats]) => ({
      labels: { ...labels, interface: name },
      stats,
    })),
  );
  const network = (
    direction: 'receive' | 'transmit',
    what: 'bytes' | 'packets' | 'dropped' | 'errors',
  ): Metric =>
    metric(
      `container_network_${direction}_${what === 'dropped' ? 'packets_dropped' : what}_total`,
      `${what} on the container's interfaces`,
      traffic.map(({ labels, stats }) => ({
        labels,
        value: stats[`${direction === 'receive' ? 'rx' : 'tx'}_${what}`],
      })),
    );
  return [
    ...(['bytes', 'packets', 'dropped', 'errors'] as const).flatMap(what => [
      network('receive', what),
      network('transmit', what),
    ]),
    metric(
      'container_pressure_waiting_percent',
      'How much of the last ten seconds a process waited for it (PSI, avg10)',
      running.flatMap(({ labels, stats }) =>
        Object.entries(stats.pressure ?? {}).map(([resource, value]) => ({
          labels: { ...labels, resource },
          value,
        })),
      ),
    ),
  ];
}

const bytes = ({ blkio }: Stats, op: 'Read' | 'Write'): number =>
  blkio.serviceBytes.filter(entry => entry.op === op).reduce((sum, { value }) => sum + value, 0);

const one = (value: number): Sample[] => [{ value }];

/** By the field's convention, the names of counters end in _total. */
const metric = (
  name: string,
  help: string,
  samples: Sample[],
  type: Metric['type'] = name.endsWith('_total') ? 'counter' : 'gauge',
): Metric => ({ name, type, help, samples });
