// The step that activates the filter: the last one before execve, so that a profile need not allow any other
// call of a start.
import type { Seccomp, SeccompAction } from '../../formats/oci/runtime-spec.ts';
import { SECCOMP, SECCOMP_FILTER_FLAG } from '../../linux/constants.ts';
import type { Item } from '../../linux/program.ts';
import { because, hostArchitecture, type Step } from '../../linux/step.ts';
import { encodeFilterProgram } from '../../linux/structures.ts';
import { seccomp } from '../../linux/syscalls.ts';
import { seccompFilter } from './compile.ts';

/** The effect of the default action on a call that no rule names. */
const OTHERWISE: Record<SeccompAction, string> = {
  SCMP_ACT_ALLOW: 'allows all system calls but those of its rules',
  SCMP_ACT_LOG: 'has all system calls logged but those of its rules',
  SCMP_ACT_ERRNO: 'refuses all system calls but those that its rules allow',
  SCMP_ACT_KILL: 'ends the thread at any system call that its rules do not allow',
  SCMP_ACT_KILL_THREAD: 'ends the thread at any system call that its rules do not allow',
  SCMP_ACT_KILL_PROCESS: 'ends the process at any system call that its rules do not allow',
  SCMP_ACT_TRAP: 'sends SIGSYS for any system call that its rules do not allow',
  SCMP_ACT_NOTIFY: 'asks the supervisor about any system call that its rules do not allow',
  SCMP_ACT_TRACE: 'asks the tracer about any system call that its rules do not allow',
};

/**
 * No items without a profile.
 * @throws RangeError, TypeError when the profile cannot be compiled
 */
export function loadFilter(profile: Seccomp | undefined): Item[] {
  if (profile === undefined) return [];
  const filter = seccompFilter(profile, hostArchitecture());
  const calls = new Set(profile.syscalls.flatMap(({ names }) => names)).size;
  const why = `from here on a filter ${OTHERWISE[profile.defaultAction]}, of which there are ${calls}`;
  return [because(why, seccomp(SECCOMP.SET_MODE_FILTER, flagsOf(profile), encodeFilterProgram(filter)))];
}

/** The step whose result is the supervisor's descriptor; undefined for a profile that asks no supervisor. */
export function listenerOf(profile: Seccomp | undefined, filter: readonly Item[]): Step | undefined {
  return profile !== undefined && asksSupervisor(profile) ? (filter[0] as Step) : undefined;
}

function asksSupervisor({ defaultAction, syscalls }: Seccomp): boolean {
  return [defaultAction, ...syscalls.map(({ action }) => action)].includes('SCMP_ACT_NOTIFY');
}

function flagsOf(profile: Seccomp): number {
  return ownFlags(profile) | (asksSupervisor(profile) ? SECCOMP_FILTER_FLAG.NEW_LISTENER : 0);
}

function ownFlags({ flags }: Seccomp): number {
  // Before Linux 5.16 a filter also disabled speculation, which slowed programs down; a program that wants
  // that can use prctl(PR_SET_SPECULATION_CTRL).
  if (flags === undefined) return SECCOMP_FILTER_FLAG.SPEC_ALLOW;
  const names = flags.map(
    name => name.replace('SECCOMP_FILTER_FLAG_', '') as keyof typeof SECCOMP_FILTER_FLAG,
  );
  // TSYNC applies the filter to other threads of the process; there are none.
  return names.filter(name => name !== 'TSYNC').reduce((sum, name) => sum | SECCOMP_FILTER_FLAG[name], 0);
}
