// What an entry of the tables of hints is, and what it may look at.
import type { Pid } from '../proc/file.ts';
import type { Arg, Step } from '../step.ts';

export interface Hint {
  /** Names of system calls, or '*'. */
  readonly calls: readonly string[];
  /** 'EINVAL', or '*'. */
  readonly code: string;
  /**
   * The cause and what to do about it, as what stands in the parentheses of an error; undefined when this is not what
   * has happened. It looks before it speaks. A probe that throws has found nothing.
   */
  readonly explain: (failed: Failed) => string | undefined;
}

export interface Failed {
  readonly call: string;
  /** Whose files, mounts, namespaces and descriptors the system call was about. */
  readonly pid: Pid;
  /** Not so when the process is gone, and its namespaces with it. What it inherited from us can still be looked at. */
  readonly seen: boolean;
  /** An argument by its place in the step; '' for none. */
  text(index: number): string;
  /** NaN for what is no number, or the result of an earlier step. */
  number(index: number): number;
  bytes(index: number): Uint8Array;
  strings(index: number): readonly string[];
  /** Whether all of these bits are set. */
  has(index: number, bits: number): boolean;
}

/** Whose state a system call met. */
export interface Whereabouts {
  /** Another process than this one. */
  readonly pid?: number;
  /** A process that has ended since: only what it shared with us is left to be looked at. */
  readonly gone?: boolean;
}

export function failedStep(step: Step, whereabouts: Whereabouts): Failed {
  const { pid, gone = false } = whereabouts;
  const arg = (index: number): Arg => step.args[index] ?? null;
  const number = (index: number): number => {
    const value = arg(index);
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
  };
  return {
    call: step.syscall.name,
    pid: pid === undefined || pid === process.pid ? 'self' : pid,
    seen: !gone,
    number,
    text: index => {
      const value = arg(index);
      if (typeof value === 'string') return value;
      return value instanceof Uint8Array ? Buffer.from(value).toString().replace(/\0.*$/s, '') : '';
    },
    bytes: index => {
      const value = arg(index);
      return value instanceof Uint8Array ? value : new Uint8Array();
    },
    strings: index => {
      const value = arg(index);
      return Array.isArray(value) ? value : [];
    },
    has: (index, bits) => {
      const value = arg(index);
      return (
        (typeof value === 'number' || typeof value === 'bigint') &&
        (BigInt(value) & BigInt(bits)) === BigInt(bits)
      );
    },
  };
}
