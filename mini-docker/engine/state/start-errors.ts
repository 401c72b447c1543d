// Errors of a failed start, in the words by which docker's client chooses its exit code: 127 for 'executable
// file not found' and 'no such file or directory', 126 for 'permission denied', else 125.

import { cannotRun, ExpectedError, internal } from '../../formats/errors.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import { CgroupError } from '../../runtime/cgroups/cgroup.ts';
import type { ContainerRecord, RecordMount } from './record.ts';

const FAILED = 'failed to create task for container: ';

export function programError(cause: unknown, record: ContainerRecord): ExpectedError {
  if (cause instanceof ExpectedError && !(cause instanceof CgroupError)) return cause;
  if (cause instanceof SyscallError && cause.syscall === 'execve') {
    return executionError(FAILED, cause, record.path);
  }
  const cwdFault = cwdError(cause, FAILED, record.config.WorkingDir);
  if (cwdFault !== undefined) return cwdFault;
  const mountFault = mountError(cause, record);
  if (mountFault !== undefined) return mountFault;
  const setting =
    cause instanceof SyscallError && /openat2\(\w+, "(\/proc\/sys\/[^"]+)"/.exec(cause.message)?.[1];
  if (setting && REASONS[cause.code])
    return cannotRun(`${FAILED}open ${setting}: ${REASONS[cause.code]}`, {
      cause,
      exitCode: 127,
    });
  const message = cause instanceof Error ? cause.message : String(cause);
  return internal(`${FAILED}${message}`, { cause, exitCode: 128 });
}

/** The error for a mount whose target is of the wrong kind, in runc's words, which people search for. */
function mountError(cause: unknown, { mounts }: ContainerRecord): ExpectedError | undefined {
  if (!(cause instanceof SyscallError)) return undefined;
  const refused = (mount: RecordMount | undefined, why: string) =>
    mount &&
    cannotRun(
      `${FAILED}error mounting ${JSON.stringify(mount.Source)} to rootfs at ${JSON.stringify(mount.Destination)}: ${why}`,
      { cause, exitCode: 125 },
    );
  if (cause.syscall === 'move_mount' && cause.code === 'EINVAL') {
    const mount = mounts.find(({ Source }) => cause.message.includes(`: ${Source} of the host: `));
    return refused(
      mount,
      'not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type',
    );
  }
  if (cause.syscall !== 'fstatfs') return undefined;
  const inProc = mounts.find(({ Destination }) => cause.message.includes(`: ${Destination} must not be `));
  return (
    refused(inProc, 'it cannot be mounted because it is inside /proc') ??
    refused(
      mounts.find(({ Destination }) => Destination === '/proc'),
      'it cannot be mounted because it is not of type proc',
    )
  );
}

const EXEC_FAILED = 'exec failed: unable to start container process: ';

/** The error of a program that could not be started in a running container; other causes stay as they are. */
export function execError(
  cause: unknown,
  { Cmd, WorkingDir }: { Cmd?: string[] | null; WorkingDir?: string },
): unknown {
  if (cause instanceof SyscallError && cause.syscall === 'execve')
    return executionError(EXEC_FAILED, cause, Cmd?.[0] ?? '');
  return cwdError(cause, EXEC_FAILED, WorkingDir) ?? cause;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EACCES: 'permission denied',
  ELOOP: 'it leads through a link of /proc, or in a circle',
  ENAMETOOLONG: 'file name too long',
};

/** Characters of a long argument that a SyscallError shows at least. */
const SHOWN = 60;

/** undefined when the cause is not the working directory. */
function cwdError(cause: unknown, failed: string, path = ''): ExpectedError | undefined {
  if (!(cause instanceof SyscallError) || cause.syscall !== 'openat2' || path === '') return undefined;
  const [reason, place] = [REASONS[cause.code], JSON.stringify(path)];
  if (reason === undefined || !cause.message.includes(`openat2(AT_FDCWD, ${place.slice(0, SHOWN)}`))
    return undefined;
  const what = `${failed}chdir to cwd (${place}) set in config.json failed: ${reason}`;
  return cannotRun(what, { cause, exitCode: cause.code === 'ENOENT' ? 127 : 126 });
}

function executionError(failed: string, cause: SyscallError, program: string): ExpectedError {
  const what = `${failed}exec: ${JSON.stringify(program)}: `;
  const options = (exitCode: number) => ({ cause, exitCode });
  // The empty name is that of each directory in PATH.
  switch (program === '' ? 'ENOENT' : cause.code) {
    case 'ENOENT':
      // A missing interpreter of a script is ENOENT too; the hint then names it.
      if (cause.hint !== undefined && program.includes('/')) {
        return cannotRun(`${what}no such file or directory (${cause.hint})`, options(127));
      }
      return program.includes('/')
        ? cannotRun(`${what}stat ${program}: no such file or directory`, options(127))
        : cannotRun(`${what}executable file not found in $PATH`, options(127));
    case 'ENOTDIR':
      return cannotRun(`${what}no such file or directory`, options(127));
    case 'EACCES':
    case 'EPERM':
    case 'EISDIR':
      return cannotRun(`${what}permission denied`, options(126));
    case 'ENOEXEC':
      return cannotRun(`${what}exec format error: permission denied to run it`, options(126));
    default:
      return cannotRun(`${what}${cause.message}`, options(126));
  }
}
