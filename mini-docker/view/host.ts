import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, loadavg, release } from 'node:os';
import type { HostView } from '../formats/view.ts';
import { readPressure } from '../runtime/cgroups/stats.ts';
import { readRights } from './processes.ts';

export function readHost(): HostView {
  return {
    name: hostname(),
    kernel: release(),
    cpus: availableParallelism(),
    cpu: cpuTicks(),
    memory: memory(),
    load: loadavg(),
    tasks: Number(/\/(\d+) /.exec(readFileSync('/proc/loadavg', 'utf8'))?.[1] ?? 0),
    pressure: readPressure(kind => `/proc/pressure/${kind}`),
    rights: readRights('self')!,
  };
}

/** proc_stat(5): user nice system idle iowait irq softirq steal */
function cpuTicks(): HostView['cpu'] {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/).map(Number);
  const ticks = fields.slice(0, 8);
  const total = ticks.reduce((sum, each) => sum + each, 0);
  return { total, busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0) };
}

function memory(): HostView['memory'] {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const bytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
  const limit = bytes('MemTotal');
  return { used: limit - bytes('MemAvailable'), limit };
}
