// /proc/PID/status: the state, ids and capabilities of a process. proc_pid_status(5)
import { type Pid, readProcFile } from './file.ts';

export interface Status {
  readonly name: string;
  /** One letter: R running, S sleeping, D in uninterruptible sleep, T stopped, t traced, Z zombie, X dead, I idle. */
  readonly state: string;
  /** Permission bits that are removed from new files. */
  readonly umask?: number;
  readonly pid: number;
  readonly tgid: number;
  readonly ppid: number;
  readonly uid: Identities;
  readonly gid: Identities;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /**
   * Pid in each pid namespace, from the reader's inwards; the last one is the pid that the process itself
   * sees.
   */
  readonly nspid: readonly number[];
  readonly threads: number;
  /** Resident memory in bytes; missing for zombies and kernel threads. */
  readonly rss?: number;
  readonly signals: { readonly blocked: bigint; readonly ignored: bigint; readonly caught: bigint };
  /** Capability sets: bit n is capability n of <linux/capability.h>. */
  readonly capabilities: {
    readonly inheritable: bigint;
    readonly permitted: bigint;
    readonly effective: bigint;
    readonly bounding: bigint;
    readonly ambient: bigint;
  };
  readonly noNewPrivs: boolean;
  readonly seccomp: 'disabled' | 'strict' | 'filter';
}

export interface Identities {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
  readonly filesystem: number;
}

export function decodeStatus(text: string): Status {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const field = (name: string): string => fields.get(name) ?? '';
  const numbers = (name: string): number[] => field(name).split(/\s+/).filter(Boolean).map(Number);
  const bits = (name: string): bigint => BigInt(`0x${field(name) || '0'}`);
  const identities = (name: string): Identities => {
    const [real = 0, effective = 0, saved = 0, filesystem = 0] = numbers(name);
    return { real, effective, saved, filesystem };
  };
  const pid = Number(field('Pid'));
  if (!(pid > 0)) throw new Error('status: it has no Pid');
  return {
    name: decodeEscapes(field('Name')),
    state: field('State').charAt(0),
    ...(fields.has('Umask') && { umask: Number.parseInt(field('Umask'), 8) }),
    pid,
    tgid: Number(field('Tgid')),
    ppid: Number(field('PPid')),
    uid: identities('Uid'),
    gid: identities('Gid'),
    groups: numbers('Groups'),
    nspid: fields.has('NSpid') ? numbers('NSpid') : [pid],
    threads: Number(field('Threads')),
    ...(fields.has('VmRSS') && { rss: Number.parseInt(field('VmRSS'), 10) * 1024 }),
    signals: { blocked: bits('SigBlk'), ignored: bits('SigIgn'), caught: bits('SigCgt') },
    capabilities: {
      inheritable: bits('CapInh'),
      permitted: bits('CapPrm'),
      effective: bits('CapEff'),
      bounding: bits('CapBnd'),
      ambient: bits('CapAmb'),
    },
    noNewPrivs: field('NoNewPrivs') === '1',
    seccomp: (['disabled', 'strict', 'filter'] as const)[Number(field('Seccomp'))] ?? 'disabled',
  };
}

/** Reads /proc/PID/status; undefined when there is no such process. */
export function readStatus(pid: Pid = 'self'): Status | undefined {
  const text = readProcFile(pid, 'status');
  return text === undefined ? undefined : decodeStatus(text);
}

/** Newline and backslash in a name are escaped (proc_task_name() in fs/proc/array.c). */
function decodeEscapes(name: string): string {
  return name.replace(/\\([n\\])/g, (_, character: string) => (character === 'n' ? '\n' : '\\'));
}
