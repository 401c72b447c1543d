import { setTimeout as sleep } from 'node:timers/promises';
import { ExpectedError } from '../../formats/errors.ts';
import type { Stats } from '../../runtime/container.ts';
import { type Command, flag, text, toggle, value } from '../command.ts';
import { isAlive, readState } from '../container-state.ts';
import { runningCgroup } from '../processes.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'display container events such as OOM notifications, cpu, memory, and IO usage statistics',
  options: {
    interval: value('set the stats collection interval (default: 5s)'),
    stats: toggle("display the container's stats then exit"),
  },
  async run(invocation) {
    const state = readState(invocation.globals.root, invocation.args[0]!);
    const interval = milliseconds(text(invocation, 'interval') ?? '5s');
    const cgroup = runningCgroup(state);
    const print = (type: string, data?: object): void => {
      process.stdout.write(`${JSON.stringify({ type, id: state.id, ...(data && { data }) })}\n`);
    };
    const stats = (): void => print('stats', statsOf(cgroup.stats()));
    if (flag(invocation, 'stats')) {
      stats();
      return 0;
    }
    const watch = cgroup.watchOomKills(() => print('oom'));
    for (let next = Date.now() + interval; isAlive(state); await sleep(100)) {
      if (Date.now() < next) continue;
      stats();
      next += interval;
    }
    watch.stop();
  },
};

function milliseconds(given: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(given);
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ''];
  const time = Number(match?.[1]) * (unit ?? 0);
  if (!(time > 0)) throw new ExpectedError('badParameter', 'duration interval must be greater than 0');
  return time;
}

/** runc's names for the counters. */
function statsOf({ cpu, memory, pids, blkio }: Stats): object {
  const entries = (list: Stats['blkio']['serviced']): object[] => list.map(each => ({ ...each }));
  const raw = memory.stats;
  return {
    cpu: {
      usage: { total: cpu.total, percpu: cpu.perCpu, kernel: cpu.system, user: cpu.user },
      throttling: {
        periods: cpu.throttling.periods,
        throttledPeriods: cpu.throttling.throttledPeriods,
        throttledTime: cpu.throttling.throttledTime,
      },
    },
    memory: {
      ...(raw.cache === undefined ? {} : { cache: raw.cache }),
      usage: { limit: memory.limit, usage: memory.usage, max: memory.maxUsage, failcnt: memory.failcnt ?? 0 },
      raw,
    },
    pids,
    blkio: {
      ioServiceBytesRecursive: entries(blkio.serviceBytes),
      ioServicedRecursive: entries(blkio.serviced),
    },
  };
}
