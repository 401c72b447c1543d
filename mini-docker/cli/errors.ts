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
  /** Of a program that could not be started: 127 where there is none, 126 where it cannot be executed. */
  readonly exitCode: number | undefined;

  constructor(status: number, message: string, exitCode?: number) {
    super(message);
    this.status = status;
    this.exitCode = exitCode;
  }
}

/** Nobody answers, and nobody can be started. */
export class NoDaemonError extends Error {
  override name = 'NoDaemonError';
}

/** What the user reads. */
export function errorLine(error: unknown): string {
  if (error instanceof DaemonError) return `Error response from daemon: ${error.message.trim()}`;
  if (error instanceof Error) return error.message;
  return String(error);
}

export const OUR_FAULT = 125;

/** Commands whose errors of the daemon carry our name in front, as docker's do, and that end with 125 then. */
export const isRun = (command: string): boolean => /^(container )?run$/.test(command);

/** What `command` ends with. Those that end as the program does tell why it could not be started; `start` does not. */
export function exitCodeOf(command: string, error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  const started = error instanceof DaemonError && (isRun(command) || /^(container )?exec$/.test(command));
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

/** Why a system call on a file failed, in words: 'no such file or directory'. */
export function fileReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
