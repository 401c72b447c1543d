// A filter of system calls: a small program that the kernel runs before each call of the box. seccomp(2)
import { because, CAP, CLONE, SECCOMP, type Step, seccomp } from '#linux';

/** struct sock_filter: eight bytes. <linux/filter.h> */
export interface Instruction {
  code: number;
  /** How many instructions to skip if the comparison holds, and if not. */
  yes?: number;
  no?: number;
  k: number;
}

/** <linux/bpf_common.h>. There is one register, the accumulator. */
const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;

/** struct seccomp_data: where the kernel puts what it knows of the call. <linux/seccomp.h> */
const NUMBER = 0;
const ARCHITECTURE = 4;
/** The lower half of the first argument; each has eight bytes. */
const FIRST_ARGUMENT = 16;

/** What becomes of the call. <linux/seccomp.h> */
const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const fail = (errno: number): number => 0x0005_0000 | errno;
const [EPERM, ENOSYS] = [1, 38];

/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64: the machine's number in ELF, 64 bits, little-endian. <linux/audit.h> */
const OWN_ARCHITECTURE = { x64: 0xc000_003e, arm64: 0xc000_00b7 };
/** x86-64 has a second set of numbers (x32), with this bit. */
const X32 = 0x4000_0000;

/** A call, its numbers on x86-64 and arm64, and the capability with which a box may make it all the same. */
type Refused = readonly [call: string, x64: number, arm64: number, unless?: number];

/** <asm/unistd_64.h>, <asm-generic/unistd.h> */
const REFUSED: readonly Refused[] = [
  ['mount', 165, 40, CAP.SYS_ADMIN],
  ['umount2', 166, 39, CAP.SYS_ADMIN],
  ['pivot_root', 155, 41, CAP.SYS_ADMIN],
  ['open_tree', 428, 428, CAP.SYS_ADMIN],
  ['move_mount', 429, 429, CAP.SYS_ADMIN],
  ['fsopen', 430, 430, CAP.SYS_ADMIN],
  ['fsconfig', 431, 431, CAP.SYS_ADMIN],
  ['fsmount', 432, 432, CAP.SYS_ADMIN],
  ['fspick', 433, 433, CAP.SYS_ADMIN],
  ['mount_setattr', 442, 442, CAP.SYS_ADMIN],
  ['setns', 308, 268, CAP.SYS_ADMIN],
  ['unshare', 272, 97, CAP.SYS_ADMIN],
  ['bpf', 321, 280, CAP.SYS_ADMIN],
  ['perf_event_open', 298, 241, CAP.SYS_ADMIN],
  ['swapon', 167, 224, CAP.SYS_ADMIN],
  ['swapoff', 168, 225, CAP.SYS_ADMIN],
  ['open_by_handle_at', 304, 265, CAP.DAC_READ_SEARCH],
  ['init_module', 175, 105, CAP.SYS_MODULE],
  ['finit_module', 313, 273, CAP.SYS_MODULE],
  ['delete_module', 176, 106, CAP.SYS_MODULE],
  ['reboot', 169, 142, CAP.SYS_BOOT],
  ['kexec_load', 246, 104, CAP.SYS_BOOT],
  ['acct', 163, 89, CAP.SYS_PACCT],
  ['settimeofday', 164, 170, CAP.SYS_TIME],
  ['clock_settime', 227, 112, CAP.SYS_TIME],
  ['add_key', 248, 217],
  ['request_key', 249, 218],
  ['keyctl', 250, 219],
  ['userfaultfd', 323, 282],
  ['io_uring_setup', 425, 425],
];
/** Making namespaces, which clone can do as well. */
const CLONE_CALLS = { x64: { clone: 56, clone3: 435 }, arm64: { clone: 220, clone3: 435 } };
const NAMESPACES =
  CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWPID | CLONE.NEWNET | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWCGROUP;

const own = process.arch === 'arm64' ? 'arm64' : 'x64';

/** @param kept the box's capabilities */
export function boxFilter(kept: readonly number[]): Instruction[] {
  const refused = REFUSED.filter(([, , , unless]) => unless === undefined || !kept.includes(unless));
  return [
    { code: LOAD, k: ARCHITECTURE },
    { code: IF_EQUAL, k: OWN_ARCHITECTURE[own], yes: 1 },
    { code: RETURN, k: KILL_PROCESS },
    { code: LOAD, k: NUMBER },
    ...(own === 'x64' ? answer(IF_AT_LEAST, X32, fail(ENOSYS)) : []),
    ...refused.flatMap(([, x64, arm64]) => answer(IF_EQUAL, own === 'x64' ? x64 : arm64, fail(EPERM))),
    ...(kept.includes(CAP.SYS_ADMIN) ? [] : noNamespaces(CLONE_CALLS[own])),
    { code: RETURN, k: ALLOW },
  ];
}

function noNamespaces({ clone, clone3 }: { clone: number; clone3: number }): Instruction[] {
  return [
    // A filter cannot follow pointers, and clone3's flags are behind one. Without clone3, libc uses clone.
    ...answer(IF_EQUAL, clone3, fail(ENOSYS)),
    { code: IF_EQUAL, k: clone, no: 3 },
    { code: LOAD, k: FIRST_ARGUMENT },
    ...answer(IF_ANY_BIT, NAMESPACES, fail(EPERM)),
  ];
}

/** If the comparison holds, the program ends here, with this answer. */
function answer(comparison: number, k: number, verdict: number): Instruction[] {
  return [
    { code: comparison, k, no: 1 },
    { code: RETURN, k: verdict },
  ];
}

export function encodeFilter(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, yes = 0, no = 0, k }, index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(k, index * 8 + 4);
  });
  return bytes;
}

/** It holds for the process from here on, and for all of its children; it can never be taken off. */
export function filterCalls(program: readonly Instruction[]): Step {
  // struct sock_fprog: the number of instructions, and at byte 8 the address of the first.
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(program.length, 0);
  const pointers = [{ at: 8, to: encodeFilter(program) }];
  return because('the box may not make all calls', seccomp(SECCOMP.SET_MODE_FILTER, 0, { bytes, pointers }));
}
