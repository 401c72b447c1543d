import { errnoMessage, errnoName } from './errno.ts';
import type { Step } from './step.ts';

/** A system call that failed: fields for programs, and a sentence for users. */
export class SyscallError extends Error {
  override readonly name = 'SyscallError';
  /** Name of the system call, for example 'mount'. */
  readonly syscall: string;
  /** Number, for example 22. */
  readonly errno: number;
  /** Name, for example 'EINVAL'. */
  readonly code: string;
  /** Position of the step in a child program, counted from 1. */
  readonly step: number | undefined;
  /** Meaning of the errno in this case, where its own text misleads. */
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
