// What has been built: the facts for the last page and the certificate.
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CapstoneProgress } from './project.ts';
import type { Stage } from './stages.ts';

export interface Built {
  /** Stages that passed, in order. */
  stages: readonly Stage[];
  of: number;
  files: number;
  /** Lines of source that are not empty. */
  lines: number;
  /** System calls that the source names. */
  calls: readonly string[];
  /** The days from the first to the last that was done for it. */
  from: string;
  to: string;
  checks: number;
  hints: number;
}

/** System calls that containers are made of, by their names in section 2 of the manual. */
const CALLS = (
  'bpf capset chdir chroot clone clone3 execve execveat fork fsconfig fsmount fsopen kill mkdir mknod mount ' +
  'mount_setattr move_mount open_tree openat2 pidfd_open pidfd_send_signal pipe pivot_root prctl prlimit seccomp ' +
  'setgid setgroups sethostname setns setsid setuid socket symlink umount2 unshare vfork wait4 waitid waitpid'
).split(' ');

const NOT_SOURCE = /^(?:\.|node_modules$|target$|vendor$|certificate\.)|\.(?:md|lock|json|o)$/;
const MOST_BYTES = 1 << 20;
const MOST_FILES = 2000;

function sources(folder: string, found: string[] = []): string[] {
  for (const { name } of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, name);
    const status = lstatSync(path);
    if (NOT_SOURCE.test(name) || found.length >= MOST_FILES) continue;
    if (status.isDirectory()) sources(path, found);
    else if (status.isFile() && status.size <= MOST_BYTES) found.push(path);
  }
  return found;
}

export function whatWasBuilt(folder: string, progress: CapstoneProgress, all: readonly Stage[]): Built {
  // A compiled program contains zeros; a text does not.
  const texts = sources(folder)
    .map(path => readFileSync(path, 'utf8'))
    .filter(text => !text.includes('\0'));
  // pivotRoot, SYS_pivot_root and pivot_root are the same call.
  const words = new Set(
    texts.flatMap(text =>
      (text.match(/\w+/g) ?? []).map(word =>
        word
          .replace(/^(?:SYS_|__NR_)/, '')
          .replace(/([a-z])([A-Z])/g, '$1_$2')
          .toLowerCase(),
      ),
    ),
  );
  const times = Object.values(progress.passed).sort();
  return {
    stages: all.filter(({ id }) => progress.passed[id] !== undefined),
    of: all.length,
    files: texts.length,
    lines: texts.reduce((sum, text) => sum + text.split('\n').filter(line => line.trim() !== '').length, 0),
    calls: CALLS.filter(call => words.has(call)),
    from: progress.begun.slice(0, 10),
    to: (times.at(-1) ?? progress.begun).slice(0, 10),
    checks: progress.checks,
    hints: Object.values(progress.hints).reduce((sum, shown) => sum + shown, 0),
  };
}

/** Whether all stages that can be tried on this machine have passed. */
export function isFinished(progress: CapstoneProgress, all: readonly Stage[]): boolean {
  return (
    Object.keys(progress.passed).length > 0 &&
    all.every(({ id }) => progress.passed[id] !== undefined || progress.skipped[id] !== undefined)
  );
}
