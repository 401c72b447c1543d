// The user of a box's program and its rights: chapter 16's walls, at the places where config.json wants them.
import {
  because,
  CAP,
  capset,
  type Item,
  MS,
  mayFail,
  mount,
  PR,
  PR_CAP_AMBIENT,
  prctl,
  prlimit,
  RLIMIT,
  setgroups,
  setresgid,
  setresuid,
  umask,
} from '#linux';
import { VERSION_3 } from '../16-rights/capabilities.ts';
import { boxFilter, filterCalls } from '../16-rights/filter.ts';
import { hide, makeReadOnly } from '../16-rights/paths.ts';
import type { Config, Process } from './bundle.ts';

/** Steps in the box's root. */
export function closedPaths({ root, linux }: Config): Item[] {
  return [
    ...(root.readonly ? [mount({ target: '/', flags: MS.BIND | MS.REMOUNT | MS.RDONLY })] : []),
    ...(linux?.maskedPaths ?? []).flatMap(hide),
    ...(linux?.readonlyPaths ?? []).flatMap(makeReadOnly),
  ];
}

/** The capabilities of these names. One that this kernel does not know is not there to be given. */
const numbers = (names: readonly string[] = []): number[] =>
  names.flatMap(name => (CAP as Record<string, number>)[name.replace(/^CAP_/, '')] ?? []);

/** The last steps before the program: none of them can be undone. */
export function rights({ process, linux }: Config): Item[] {
  const { uid = 0, gid = 0, umask: mask = 0o022, additionalGids = [] } = process.user ?? {};
  const sets = process.capabilities ?? {};
  const bounding = numbers(sets.bounding);
  return [
    umask(mask),
    ...limits(process),
    // While the process is still mighty: later, it would need no_new_privs, which config.json may not want.
    ...(linux?.seccomp === undefined ? [] : [filterCalls(boxFilter(bounding))]),
    ...Object.values(CAP)
      .filter(number => !bounding.includes(number))
      .map(number => mayFail(prctl(PR.CAPBSET_DROP, number, 0, 0, 0), 'EINVAL')),
    because('another user would lose even what it is to keep', prctl(PR.SET_KEEPCAPS, 1, 0, 0, 0)),
    setgroups(additionalGids.length, Buffer.from(Uint32Array.from(additionalGids).buffer)),
    setresgid(gid, gid, gid),
    setresuid(uid, uid, uid),
    capset(VERSION_3, capabilitySets(sets)),
    // EPERM: it must be permitted and inheritable before. The example that runc writes asks for it all the same.
    ...numbers(sets.ambient).map(number =>
      mayFail(prctl(PR.CAP_AMBIENT, PR_CAP_AMBIENT.RAISE, number, 0, 0), 'EPERM'),
    ),
    ...(process.noNewPrivileges ? [prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0)] : []),
  ];
}

/** Twice effective, permitted and inheritable: the lower 32 bits, then the upper ones. */
function capabilitySets({ effective, permitted, inheritable }: NonNullable<Process['capabilities']>): Buffer {
  const bits = [effective, permitted, inheritable].map(names =>
    numbers(names).reduce((all, number) => all | (1n << BigInt(number)), 0n),
  );
  const words = [...bits.map(set => set & 0xffff_ffffn), ...bits.map(set => set >> 32n)];
  return Buffer.from(Uint32Array.from(words.map(Number)).buffer);
}

function limits({ rlimits = [] }: Process): Item[] {
  return rlimits.map(({ type, soft, hard }) => {
    const pair = Buffer.from(BigUint64Array.of(BigInt(soft), BigInt(hard)).buffer);
    return prlimit(0, (RLIMIT as Record<string, number>)[type.replace(/^RLIMIT_/, '')]!, pair, null);
  });
}
