// Structures that system calls take by address, and how to print them as strace does.
import { CAP, CLONE, MOUNT_ATTR, MS, named, O, RESOLVE, SIG } from './constants.ts';
import { flagNames } from './describe.ts';
import type { Linked, Structure } from './step.ts';

function words64(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.byteLength / 8) }, (_, index) =>
    view.getBigUint64(index * 8, true),
  );
}

function words32(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.byteLength / 4) }, (_, index) =>
    view.getUint32(index * 4, true),
  );
}

function fields(entries: [name: string, text: string, shown: boolean][]): string {
  const shown = entries.filter(([, , show]) => show).map(([name, text]) => `${name}=${text}`);
  return `{${shown.join(', ')}}`;
}

const encode64 = (...words: (number | bigint)[]): Uint8Array =>
  new Uint8Array(new BigUint64Array(words.map(BigInt)).buffer);

export const encodeOpenHow = (how: { flags: number; mode?: number; resolve: number }): Uint8Array =>
  encode64(how.flags, how.mode ?? 0, how.resolve);

/** `userNamespace` is a descriptor. */
export const encodeMountAttr = (attr: {
  set?: number;
  clear?: number;
  propagation?: number;
  userNamespace?: number;
}): Uint8Array => encode64(attr.set ?? 0, attr.clear ?? 0, attr.propagation ?? 0, attr.userNamespace ?? 0);

/** struct open_how. <linux/openat2.h> */
export const openHow: Structure = {
  show(bytes) {
    const [flags = 0n, mode = 0n, resolve = 0n] = words64(bytes);
    return fields([
      ['flags', flagNames(flags, named('O', O)), true],
      ['mode', `0${mode.toString(8)}`, mode !== 0n],
      ['resolve', flagNames(resolve, named('RESOLVE', RESOLVE)), resolve !== 0n],
    ]);
  },
};

/** struct mount_attr. <linux/mount.h> */
export const mountAttr: Structure = {
  show(bytes) {
    const [set = 0n, clear = 0n, propagation = 0n, userNamespace = 0n] = words64(bytes);
    const attributes = named('MOUNT_ATTR', MOUNT_ATTR);
    return fields([
      ['attr_set', flagNames(set, attributes), set !== 0n],
      ['attr_clr', flagNames(clear, attributes), clear !== 0n],
      ['propagation', flagNames(propagation, named('MS', MS)), propagation !== 0n],
      ['userns_fd', String(userNamespace), userNamespace !== 0n],
    ]);
  },
};

/** Two struct __user_cap_data_struct. <linux/capability.h> */
export const capabilityData: Structure = {
  show(bytes) {
    const [
      effective = 0,
      permitted = 0,
      inheritable = 0,
      effectiveHigh = 0,
      permittedHigh = 0,
      inheritableHigh = 0,
    ] = words32(bytes);
    const set = (low: number, high: number): string => {
      const mask = (BigInt(high) << 32n) | BigInt(low);
      const names = Object.entries(CAP).filter(([, number]) => (mask & (1n << BigInt(number))) !== 0n);
      return names.map(([name]) => name).join('|') || '0';
    };
    return fields([
      ['effective', set(effective, effectiveHigh), true],
      ['permitted', set(permitted, permittedHigh), true],
      ['inheritable', set(inheritable, inheritableHigh), true],
    ]);
  },
};

/** struct rlimit64. <linux/resource.h> */
export const resourceLimit: Structure = {
  show(bytes) {
    const text = (value: bigint): string =>
      value === 0xffff_ffff_ffff_ffffn ? 'RLIM_INFINITY' : String(value);
    const [soft = 0n, hard = 0n] = words64(bytes);
    return `{rlim_cur=${text(soft)}, rlim_max=${text(hard)}}`;
  },
};

/** An array of gid_t. */
export const groupList: Structure = { show: bytes => `[${words32(bytes).join(', ')}]` };

/** struct clone_args, in its third version. <linux/sched.h> */
export const cloneArgs: Structure = {
  show(bytes) {
    const [flags = 0n, , , , exitSignal = 0n, , , , , , cgroup = 0n] = words64(bytes);
    return fields([
      ['flags', flagNames(flags, named('CLONE', CLONE)), true],
      ['exit_signal', exitSignal === BigInt(SIG.CHLD) ? 'SIGCHLD' : String(exitSignal), exitSignal !== 0n],
      ['cgroup', String(cgroup), (flags & BigInt(CLONE.INTO_CGROUP)) !== 0n],
    ]);
  },
};

/**
 * The argument of clone3(2).
 * @param options.pid 4 bytes for the child's pid, which the kernel stores before the child runs
 * @param options.cgroup a descriptor of the cgroup v2 directory in which the child starts
 */
export function encodeCloneArgs(options: {
  flags: number;
  exitSignal: number;
  pid: Uint8Array;
  cgroup: number;
}): Linked {
  const { flags, exitSignal, pid, cgroup } = options;
  const bytes = Buffer.alloc(88);
  bytes.writeBigUInt64LE(BigInt(flags) | BigInt(CLONE.PARENT_SETTID) | BigInt(CLONE.INTO_CGROUP), 0);
  bytes.writeBigUInt64LE(BigInt(exitSignal), 32);
  bytes.writeBigUInt64LE(BigInt(cgroup), 80);
  return { bytes, pointers: [{ at: 24, to: pid }] };
}

/** struct sock_fprog: the number of instructions, and their address. <linux/filter.h> */
export const filterProgram: Structure = {
  show: bytes => `{len=${new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, true)}}`,
};

/** @param instructions an array of struct sock_filter */
export function encodeFilterProgram(instructions: Uint8Array): Linked {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(instructions.byteLength / 8, 0);
  return { bytes, pointers: [{ at: 8, to: instructions }] };
}
