// Applies a command to several containers, images, …: each failure is reported, and the others continue.

import { errorLine } from './errors.ts';
import { print, printError } from './show/output.ts';

/**
 * Prints each target when it is done, or the result of `action`, or nothing when that is false. Resolves with
 * the exit code: 1 when any failed.
 */
export async function forEachTarget(
  targets: readonly string[],
  action: (target: string) => Promise<string | undefined | false>,
): Promise<number> {
  const started = targets.map(target => action(target));
  // All run at once, and are reported in order; a later failure must not count as an unhandled rejection.
  for (const each of started) each.catch(() => {});
  let exitCode = 0;
  for (const [index, each] of started.entries()) {
    try {
      const line = await each;
      if (line !== false) print(line ?? targets[index]!);
    } catch (error) {
      printError(errorLine(error));
      exitCode = 1;
    }
  }
  return exitCode;
}
