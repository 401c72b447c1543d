// The errors of commands, and their exit codes, which are docker's
// (https://docs.docker.com/engine/containers/run/#exit-status).

/** A mistake of the user, or a failure on this machine: one line. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The daemon refused the request. `message` is the daemon's. */
export class DaemonError extends Error {
  override name = 'DaemonError';
  /** HTTP status. */
  readonly status: number;
  /**
   * Exit code for a program that could not be started: 127 when it does not exist, 126 when it cannot be
   * executed.
   */
  readonly exitCode: number | undefined;

  constructor(status: number, message: string, exitCode?: number) {
    super(message);
    this.status = status;
    this.exitCode = exitCode;
  }
}

export const hasStatus = (error: unknown, ...statuses: readonly number[]): error is DaemonError =>
  error instanceof DaemonError && statuses.includes(error.status);

/** The daemon's answer; undefined when it does not know what was asked for. */
export async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

/** No daemon answers, and none can be started. */
export class NoDaemonError extends Error {
  override name = 'NoDaemonError';
}

/** The line that the user sees. */
export function errorLine(error: unknown): string {
  if (error instanceof DaemonError) return `Error response from daemon: ${error.message.trim()}`;
  if (error instanceof Error) return error.message;
  return String(error);
}

export const OUR_FAULT = 125;

/** A mistake, or a failure, before the container's program runs: exit code 125. */
export const beforeProgram = (message: string, cause?: unknown): CommandError =>
  new CommandError(message, { exitCode: OUR_FAULT, cause });

/** Commands that prefix the daemon's errors with our name, as docker's do, and then exit with 125. */
export const isRun = (command: string): boolean => /^(container )?run$/.test(command);

/**
 * The exit code of `command`. Commands that exit as the program does report why it could not be started;
 * `start` does not.
 */
export function exitCodeOf(command: string, error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  const started = error instanceof DaemonError && /^(container |compose )?(run|exec)$/.test(command);
  return (started ? error.exitCode : undefined) ?? (isRun(command) ? OUR_FAULT : 1);
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

/** The reason of a failed system call on a file, in words: 'no such file or directory'. */
export function fileReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
