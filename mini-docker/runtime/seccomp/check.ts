// Whether a seccomp profile, written by any program, uses only words that exist. With an unknown action or comparison
// the filter would do something else than its author meant.
import type { Seccomp } from '../../formats/oci/runtime-spec.ts';
import { OPERATORS } from '../../formats/seccomp.ts';

/** System calls have arguments 0 to 5. */
const ARGUMENTS = 6;

/** @param actions the names of all actions. @throws TypeError that names the word */
export function checkWords({ defaultAction, syscalls }: Seccomp, actions: object): void {
  for (const action of [defaultAction, ...syscalls.map(each => each.action)])
    if (!Object.hasOwn(actions, action))
      throw new TypeError(`string ${action} is not a valid action for seccomp`);
  for (const { names, args } of syscalls)
    for (const { index, op } of args ?? []) {
      if (!OPERATORS.has(op)) throw new TypeError(`string ${op} is not a valid operator for seccomp`);
      if (!Number.isInteger(index) || index < 0 || index >= ARGUMENTS)
        throw new TypeError(
          `the seccomp rule for ${names} compares argument ${index}: calls have arguments 0 to 5`,
        );
    }
}
