// A program that was found at `create` and cannot be executed at `start`: no command of the runtime waits for it any
// more. As with runc, the container's process writes the reason to its standard error, and exits with 1.
import type { Process } from '../formats/oci/runtime-spec.ts';
import { ERRNO } from '../linux/errno.ts';
import type { Item } from '../linux/program.ts';
import { mayFail, resultOf, type Step } from '../linux/step.ts';
import { write } from '../linux/syscalls.ts';

const STANDARD_ERROR = 2;
const REASONS: Readonly<Record<string, string>> = {
  ENOEXEC: 'exec format error',
  EACCES: 'permission denied',
  E2BIG: 'argument list too long',
};
/** The program exists, so the interpreter is missing that its first line names. */
const OTHERWISE = 'no such file or directory';

/** @param attempts the execve steps, which have all failed */
export function sayWhy({ args }: Process, attempts: readonly Step[]): Item[] {
  const say = (reason: string): Item[] => [
    mayFail(write(STANDARD_ERROR, Buffer.from(`exec ${args[0]}: ${reason}\n`))),
    { control: 'exit', status: 1 },
  ];
  return [
    ...Object.keys(REASONS).flatMap(errno =>
      attempts.map(
        (attempt): Item => ({
          control: 'when',
          result: resultOf(attempt),
          is: 'equal',
          value: -ERRNO[errno]!,
          to: errno,
        }),
      ),
    ),
    ...say(OTHERWISE),
    ...Object.entries(REASONS).flatMap(([errno, reason]): Item[] => [
      { control: 'label', name: errno },
      ...say(reason),
    ]),
  ];
}
