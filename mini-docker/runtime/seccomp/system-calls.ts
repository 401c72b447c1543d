// A profile's verdict on each system call of this machine, found by running its filter.

import type { Seccomp } from '../../formats/oci/runtime-spec.ts';
import type { SystemCalls } from '../../formats/security-report.ts';
import { ERRNO } from '../../linux/errno.ts';
import type { Architecture } from '../../linux/step.ts';
import { decodeInstructions, interpret } from './bpf.ts';
import { AUDIT_ARCH, seccompFilter, VERDICT } from './compile.ts';
import { syscallNumbers } from './syscall-numbers.ts';

const ENOSYS = (VERDICT.SCMP_ACT_ERRNO | ERRNO.ENOSYS) >>> 0;
/** SECCOMP_RET_ACTION_FULL */
const ACTION = 0xffff_0000;

export function systemCallsOf(profile: Seccomp, machine: Architecture): SystemCalls {
  const program = decodeInstructions(seccompFilter(profile, machine));
  const withConditions = new Set(
    profile.syscalls.filter(({ args = [] }) => args.length > 0).flatMap(({ names }) => names),
  );
  const found: SystemCalls = { allowed: 0, refused: [], hidden: [], conditional: [], fatal: [] };
  for (const [name, nr] of syscallNumbers(machine)) {
    const { verdict } = interpret(program, { arch: AUDIT_ARCH[machine], nr });
    const action = (verdict & ACTION) >>> 0;
    if (withConditions.has(name)) found.conditional.push(name);
    else if (verdict === ENOSYS) found.hidden.push(name);
    else if (action === VERDICT.SCMP_ACT_ERRNO) found.refused.push(name);
    else if (action === VERDICT.SCMP_ACT_ALLOW || action === VERDICT.SCMP_ACT_LOG) found.allowed++;
    else found.fatal.push(name);
  }
  return found;
}
