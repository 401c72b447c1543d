// The last steps of a start: working directory, inherited descriptors, and the program itself.
import type { Process } from '../formats/oci/runtime-spec.ts';
import { resetSignals } from '../linux/child.ts';
import { CLOSE_RANGE, O } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, resultOf, type Step } from '../linux/step.ts';
import { close, closeRange, dup3, execve, fchdir, umask } from '../linux/syscalls.ts';
import { FD_END } from './descriptors.ts';
import { makeDirectories, openInside } from './inside.ts';

const ALL_DESCRIPTORS = 0xffff_ffff;
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** @param create make a missing directory, as Docker does for a container but not for an exec */
export function workingDirectory(process: Process, create: boolean): Item[] {
  const directory = openInside(process.cwd, O.PATH | O.DIRECTORY);
  return [
    ...(create && process.cwd !== '/' ? makeDirectories(process.cwd) : []),
    ...directory.items,
    because('its working directory', fchdir(resultOf(directory.fd))),
    close(resultOf(directory.fd)),
    umask(process.user.umask ?? 0o022),
  ];
}

/**
 * Descriptors from 3 on are the runtime's, and must not reach the program: a descriptor of a host directory
 * is a way out.
 * @param passed number of descriptors from 3 on that are meant for it, and wait behind those of FD
 */
export function closeDescriptors(passed = 0): Item[] {
  return [
    ...Array.from({ length: passed }, (_, index) => dup3(FD_END + index, 3 + index, 0)),
    because(
      passed === 0 ? 'no descriptor but 0, 1 and 2 reaches the program' : 'no other descriptor reaches it',
      closeRange(3 + passed, ALL_DESCRIPTORS, CLOSE_RANGE.CLOEXEC),
    ),
  ];
}

/** execve(2) does not search: a name without a slash is tried in each directory of PATH, as in execvp(3). */
export function attempts({ args, env }: Process): Step[] {
  return executables({ args, env }).map(path => mayFail(execve(path, args, env)));
}

/** @param filter steps that must come immediately before execve */
export function execute(process: Process, filter: readonly Item[] = []): Item[] {
  const tries = attempts(process);
  return [...resetSignals(), ...filter, ...tries, { control: 'fail', blame: tries }];
}

/** The paths at which the program may be, in their order. */
export function executables({ args, env }: Pick<Process, 'args' | 'env'>): string[] {
  const [program = ''] = args;
  if (program.includes('/')) return [program];
  const path = env.findLast(entry => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  return path.split(':').map(directory => `${directory === '' ? '.' : directory}/${program}`);
}
