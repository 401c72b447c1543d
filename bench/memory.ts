// The memory of a running container, apart from its own program: the resident memory of every process that
// exists because of it. Pages shared between processes count in each of them, so the sum errs to our
// disadvantage.
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
      // The process has ended in the meantime.
    }
  }
  return found;
}

export function residentKilobytes(pid: number): number {
  return processes().find(each => each.pid === pid)?.kilobytes ?? 0;
}
