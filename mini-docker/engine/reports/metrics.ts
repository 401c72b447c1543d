// GET /metrics: the engine and its containers for Prometheus. Names are dockerd's (engine_daemon_…) and cAdvisor's
// (container_…), so that existing dashboards work.
import { availableParallelism, totalmem } from 'node:os';
import { encodeMetrics, type Metric, type Sample } from '../../formats/prometheus.ts';
import type { Stats } from '../../runtime/container.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { VERSION } from './info.ts';
import { networkStats, readStats } from './stats.ts';

export async function metrics(context: EngineContext): Promise<string> {
  const running: { labels: Labels; stats: Stats; live: LiveContainer }[] = [];
  for (const live of context.containers) {
    const stats = await readStats(live);
    if (stats !== undefined) running.push({ labels: labelsOf(live), stats, live });
  }
  const of = (value: (stats: Stats, live: LiveContainer) => number | undefined): Sample[] =>
    running.flatMap(({ labels, stats, live }) => {
      const found = value(stats, live);
      return found === undefined ? [] : [{ labels, value: found }];
    });
  return encodeMetrics([...engineMetrics(context), ...containerMetrics(context, of), ...manyEach(running)]);
}

type Labels = Record<string, string>;

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
  const memory = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  return [
    gauge('engine_daemon_engine_info', "The engine's version and the kernel's", [
      { labels: { version: VERSION, kernel: facts.kernel, graphdriver: 'overlay2', os: 'linux' }, value: 1 },
    ]),
    gauge('engine_daemon_engine_cpus_cpus', "The host's processors", [{ value: availableParallelism() }]),
    gauge('engine_daemon_engine_memory_bytes', "The host's memory", [{ value: totalmem() }]),
    gauge('engine_daemon_container_states_containers', 'Containers by state', [
      state('running', 'running', 'restarting'),
      state('paused', 'paused'),
      state('stopped', 'created', 'exited', 'dead'),
    ]),
    histogram(
      'engine_daemon_container_actions_seconds',
      'How long each action on a container took',
      [...measures.actions].flatMap(([action, durations]) => durations.samples({ action })),
    ),
    counter('engine_daemon_events_total', 'Events', [{ value: events.count }]),
    gauge('engine_daemon_events_subscribers_total', 'Clients that follow events', [
      { value: events.listeners },
    ]),
    counter('engine_daemon_health_checks_total', 'Health checks', [{ value: measures.healthChecks.done }]),
    counter('engine_daemon_health_checks_failed_total', 'Health checks that failed', [
      { value: measures.healthChecks.failed },
    ]),
    counter(
      'engine_daemon_http_requests_total',
      'Requests to the API that were answered',
      [...measures.requests].map(([key, value]) => {
        const [method, code] = key.split(' ') as [string, string];
        return { labels: { method, code }, value };
      }),
    ),
    counter('process_cpu_seconds_total', "The daemon's processor time", [
      { value: (cpu.user + cpu.system) / 1e6 },
    ]),
    gauge('process_resident_memory_bytes', "The daemon's memory", [{ value: memory }]),
    gauge('process_start_time_seconds', "The daemon's start, seconds since 1970", [
      { value: measures.startedAt },
    ]),
  ];
}

/** Metrics with one sample for each container. */
function containerMetrics(
  { containers }: EngineContext,
  of: (value: (stats: Stats, live: LiveContainer) => number | undefined) => Sample[],
): Metric[] {
  const all = (value: (live: LiveContainer) => number | undefined): Sample[] =>
    [...containers].flatMap(live => {
      const found = value(live);
      return found === undefined ? [] : [{ labels: labelsOf(live), value: found }];
    });
  return [
    counter(
      'container_cpu_usage_seconds_total',
      'Processor time',
      of(({ cpu }) => cpu.total / 1e9),
    ),
    counter(
      'container_cpu_user_seconds_total',
      'Processor time in programs',
      of(({ cpu }) => cpu.user / 1e9),
    ),
    counter(
      'container_cpu_system_seconds_total',
      'Processor time in the kernel',
      of(({ cpu }) => cpu.system / 1e9),
    ),
    counter(
      'container_cpu_cfs_throttled_seconds_total',
      'Time in which the quota was used up',
      of(({ cpu }) => cpu.throttling.throttledTime / 1e9),
    ),
    gauge(
      'container_memory_usage_bytes',
      'Memory, with the page cache',
      of(({ memory }) => memory.usage),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Memory without inactive files',
      of(({ memory }) =>
        Math.max(0, memory.usage - (memory.stats.total_inactive_file ?? memory.stats.inactive_file ?? 0)),
      ),
    ),
    gauge(
      'container_spec_memory_limit_bytes',
      'The limit of memory; 0: none',
      of((_, { record }) => record.hostConfig.Memory ?? 0),
    ),
    gauge(
      'container_processes',
      'Processes and threads',
      of(({ pids }) => pids.current),
    ),
    gauge(
      'container_start_time_seconds',
      'Start, seconds since 1970',
      of((_, { record }) => Date.parse(record.state.startedAt) / 1000),
    ),
    counter(
      'container_fs_reads_bytes_total',
      'Bytes read from disks',
      of(stats => bytes(stats, 'Read')),
    ),
    counter(
      'container_fs_writes_bytes_total',
      'Bytes written to disks',
      of(stats => bytes(stats, 'Write')),
    ),
    counter(
      'container_oom_events_total',
      'Kills for want of memory since the daemon began',
      all(({ oomEvents }) => oomEvents),
    ),
    counter(
      'container_restarts_total',
      'Restarts by the restart policy',
      all(({ record }) => record.state.restartCount),
    ),
    gauge(
      'container_health_status',
      'Health: 1 healthy, 0 unhealthy; no sample before the first result',
      all(
        ({ record }) =>
          ({ healthy: 1, unhealthy: 0 })[record.state.health?.Status as 'healthy' | 'unhealthy'],
      ),
    ),
  ];
}

/** Metrics with several samples for each container. */
function manyEach(running: readonly { labels: Labels; stats: Stats; live: LiveContainer }[]): Metric[] {
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
    counter(
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
    gauge(
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

const gauge = (name: string, help: string, samples: Sample[]): Metric => ({
  name,
  type: 'gauge',
  help,
  samples,
});
const counter = (name: string, help: string, samples: Sample[]): Metric => ({
  name,
  type: 'counter',
  help,
  samples,
});
const histogram = (name: string, help: string, samples: Sample[]): Metric => ({
  name,
  type: 'histogram',
  help,
  samples,
});
