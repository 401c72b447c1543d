// Finds the processes that keep a mount busy with a file, a working directory or a root on it.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readQuietly } from '../proc/file.ts';
import { allPids } from '../proc/pids.ts';
import type { Failed } from './hint.ts';
import { absolute } from './probes.ts';

const MOST = 3;
const O_ACCMODE = 3;

/**
 * ': sleep (pid 71, its working directory), …', or '' when none is found.
 * @param how whether to list all uses of the mount, or only files that are open for writing
 */
export function holders(failed: Failed, path: string, how: 'any' | 'writing'): string {
  const top = absolute(failed, path);
  const found: string[] = [];
  for (const pid of allPids()) {
    const why = holdOf(pid, top, how);
    if (why !== undefined) found.push(`${commandOf(pid)} (pid ${pid}, ${why})`);
  }
  if (found.length === 0) return '';
  const rest = found.length - MOST;
  return `: ${found.slice(0, MOST).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function holdOf(pid: number, top: string, how: 'any' | 'writing'): string | undefined {
  const below = (path: string): boolean => path === top || path.startsWith(`${top}/`);
  try {
    if (how === 'any') {
      const links = { cwd: 'its working directory', root: 'its root', exe: 'its program' };
      for (const [link, why] of Object.entries(links))
        if (below(readlinkSync(`/proc/${pid}/${link}`))) return why;
    }
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const path = readlinkSync(`/proc/${pid}/fd/${fd}`);
      if (below(path) && (how === 'any' || writes(pid, fd))) return `an open file ${path}`;
    }
  } catch {
    // The process has ended, or we may not examine it.
  }
  return undefined;
}

function writes(pid: number, fd: string): boolean {
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
  return (Number.parseInt(flags, 8) & O_ACCMODE) !== 0;
}

const commandOf = (pid: number): string => readQuietly(`/proc/${pid}/comm`)?.trim() ?? 'a process';
