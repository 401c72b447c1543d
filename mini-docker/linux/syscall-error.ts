import { errnoMessage, errnoName } from './errno.ts';
import type { Step } from './step.ts';

/** A system call that failed: fields for programs, and a sentence for people. */
export class SyscallError extends Error {
  override readonly name = 'SyscallError';
  /** 'mount' */
  readonly syscall: string;
  /** 22 */
  readonly errno: number;
  /** 'EINVAL' */
  readonly code: string;
  /** Where in a child program it stood, counted from 1. */
  readonly step: number | undefined;
  /** What the errno means here, where its own text misleads. */
  readonly hint: string | undefined;

  constructor(options: {
    doing: string;
    failed: Step;
    errno: number;
    step?: number | undefined;
    hint?: string | undefined;
  }) {
    const { doing, failed, errno, step, hint } = options;
    const code = errnoName(errno);
    super(`${doing}: ${code} (${hint ?? errnoMessage(errno)})`);
    this.syscall = failed.syscall.name;
    this.errno = errno;
    this.code = code;
    this.step = step;
    this.hint = hint;
  }
}
