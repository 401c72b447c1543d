// The rights of root, in pieces: which of them the box's root keeps. capabilities(7)
import { because, CAP, capset, type Item, mayFail, PR, prctl } from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';

/** The capabilities that programs in boxes usually need: Docker's choice. */
export const USUAL: readonly number[] = [
  ...[CAP.CHOWN, CAP.DAC_OVERRIDE, CAP.FOWNER, CAP.FSETID, CAP.SETFCAP],
  ...[CAP.KILL, CAP.SETUID, CAP.SETGID, CAP.SETPCAP, CAP.SYS_CHROOT],
  ...[CAP.NET_BIND_SERVICE, CAP.NET_RAW, CAP.MKNOD, CAP.AUDIT_WRITE],
];

/** The bounding set has 64 bits, also for capabilities that are not invented yet. */
const ALL = Array.from({ length: 64 }, (_, number) => number);

/** Leaves the process, and all programs that it will ever execute, no capabilities but these. */
export function keepCapabilities(kept: readonly number[]): Item[] {
  return [
    ...ALL.filter(number => !kept.includes(number)).map(number =>
      because('no execve can give it back', mayFail(prctl(PR.CAPBSET_DROP, number, 0, 0, 0), 'EINVAL')),
    ),
    because('only what the process has can stay', capset(VERSION_3, capabilitySets(kept))),
    because('no setuid program gives more', prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0)),
  ];
}

/** struct __user_cap_header_struct: the version with 64 bits, and the process: 0, the caller. */
export const VERSION_3 = Buffer.from(new Uint32Array([0x20080522, 0]).buffer);

/**
 * Twice a struct __user_cap_data_struct: effective, permitted and inheritable; the lower 32 bits of each, then the upper.
 * Nothing is inheritable: an execve gives root what is, whatever the bounding set says.
 */
function capabilitySets(kept: readonly number[]): Buffer {
  const set = kept.reduce((all, number) => all | (1n << BigInt(number)), 0n);
  const [low, high] = [Number(set & 0xffff_ffffn), Number(set >> 32n)];
  return Buffer.from(new Uint32Array([low, low, 0, high, high, 0]).buffer);
}

/** 'NET_ADMIN' or 'CAP_NET_ADMIN' → [12]; 'ALL' → all that this kernel has a name for. @throws Mistake */
export function capabilitiesNamed(name: string): number[] {
  if (name === 'ALL') return Object.values(CAP);
  const number = (CAP as Record<string, number>)[name.replace(/^CAP_/, '')];
  if (number === undefined)
    throw new Mistake(`a capability has a name as NET_ADMIN, or is ALL: not '${name}'`);
  return [number];
}
