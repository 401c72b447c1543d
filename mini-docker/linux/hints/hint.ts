// An entry in the tables of hints, and the state that it may examine.
import type { Pid } from '../proc/file.ts';
import type { Arg, Step } from '../step.ts';

export interface Hint {
  /** Names of system calls, or '*'. */
  readonly calls: readonly string[];
  /** 'EINVAL', or '*'. */
  readonly code: string;
  /** Examines the state before it answers. A probe that throws counts as undefined. */
  readonly explain: (failed: Failed) => Explanation;
}

/** The cause and the remedy, as text for the parentheses of an error; none when the failure had another cause. */
export type Explanation = string | false | undefined;

export const hint = (calls: readonly string[], code: string, explain: Hint['explain']): Hint => ({
  calls,
  code,
  explain,
});

/** A hint for a process that can still be examined. */
export const seen: typeof hint = (calls, code, explain) =>
  hint(calls, code, failed => failed.seen && explain(failed));

export interface Failed {
  readonly call: string;
  /** The process whose files, mounts, namespaces and descriptors the system call used. */
  readonly pid: Pid;
  /**
   * False when the process has ended, and its namespaces with it. State inherited from us can still be
   * examined.
   */
  readonly seen: boolean;
  /** Text of an argument, by its position in the step; '' for none. */
  text(index: number): string;
  /** Number in an argument; NaN when it is not a number, or is the result of an earlier step. */
  number(index: number): number;
  bytes(index: number): Uint8Array;
  strings(index: number): readonly string[];
  /** Whether all given bits are set in an argument. */
  has(index: number, bits: number): boolean;
}

/** The process in whose state a system call was made. */
export interface Whereabouts {
  /** Pid of a process other than this one. */
  readonly pid?: number;
  /** Whether that process has ended: only the state that it shared with us can still be examined. */
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
