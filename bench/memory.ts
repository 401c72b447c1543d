// What a running container costs in memory, beside its own program: the resident memory of every process that is there
// because of it. Pages that processes share count in each of them, so the sum errs to our disadvantage.
import { readdirSync, readFileSync } from 'node:fs';

export interface ResidentProcess {
  pid: number;
  parent: number;
  name: string;
  kilobytes: number;
}

export function processes(): ResidentProcess[] {
  const found: ResidentProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const status = readFileSync(`/proc/${entry}/status`, 'utf8');
      const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
      const argv = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')[0] ?? '';
      found.push({
        pid: Number(entry),
        parent: Number(field('PPid')),
        name: argv || (field('Name') ?? ''),
        kilobytes: Number(field('VmRSS') ?? 0),
      });
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

export function residentKilobytes(pid: number): number {
  return processes().find(each => each.pid === pid)?.kilobytes ?? 0;
}
