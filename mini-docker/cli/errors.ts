// What a command fails with, and the exit code of each: docker's own (https://docs.docker.com/engine/containers/run/#exit-status).

/** The user's mistake, or something on this machine: one line. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The daemon refused. `message` is its own. */
export class DaemonError extends Error {
  override name = 'DaemonError';
  /** HTTP */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Nobody answers, and nobody can be started. */
export class NoDaemon extends Error {
  override name = 'NoDaemon';
}

/** What the user reads. */
export function errorLine(error: unknown): string {
  if (error instanceof DaemonError) return `Error response from daemon: ${error.message.trim()}`;
  if (error instanceof Error) return error.message;
  return String(error);
}

export const OUR_FAULT = 125;
const CANNOT_RUN = 126;
const NOT_FOUND = 127;

/** Of a container that could not be started: the daemon says why in words only. */
export function startExitCode(error: unknown): number {
  if (!(error instanceof DaemonError)) return OUR_FAULT;
  if (
    /executable file not found|no such file or directory|system cannot find the file/i.test(error.message)
  ) {
    return NOT_FOUND;
  }
  if (/permission denied|exec format error|not a directory|is a directory/i.test(error.message))
    return CANNOT_RUN;
  return OUR_FAULT;
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EEXIST: 'file exists',
  EISDIR: 'is a directory',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  EROFS: 'read-only file system',
};

/** Why a system call on a file failed, in words: 'no such file or directory'. */
export function fileReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
