// Loads a device program into the kernel and attaches it to a cgroup v2 directory. bpf(2)
import { call } from '../../linux/call.ts';
import { AT, O } from '../../linux/constants.ts';
import { addressOf } from '../../linux/libc.ts';
import { because } from '../../linux/step.ts';
import { bpf, close, openat } from '../../linux/syscalls.ts';

/** <linux/bpf.h> */
const BPF_CMD = {
  PROG_LOAD: 5,
  PROG_ATTACH: 8,
  PROG_DETACH: 9,
  PROG_GET_FD_BY_ID: 13,
  PROG_QUERY: 16,
} as const;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
/** Allows several attached programs, all of which must agree: a manager further up may have its own. */
const BPF_F_ALLOW_MULTI = 2;

/**
 * Replaces the programs that were attached to this cgroup.
 * @throws SyscallError when the kernel refuses
 */
export function setDeviceFilter(directory: string, program: Uint8Array): void {
  const group = call(openat(AT.FDCWD, directory, O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0));
  try {
    const before = attachedPrograms(group);
    const loaded = load(program);
    try {
      command(
        'attach the device rules to the cgroup',
        BPF_CMD.PROG_ATTACH,
        attachment(group, loaded, BPF_F_ALLOW_MULTI),
      );
    } finally {
      call(close(loaded));
    }
    for (const id of before) detach(group, id);
  } finally {
    call(close(group));
  }
}

function load(program: Uint8Array): number {
  const license = Buffer.from('MIT\0');
  const attr = Buffer.alloc(64);
  attr.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0);
  attr.writeUInt32LE(program.byteLength / 8, 4);
  attr.writeBigUInt64LE(BigInt(addressOf(program)), 8);
  attr.writeBigUInt64LE(BigInt(addressOf(license)), 16);
  attr.write('mini_docker', 48);
  return command('load the device rules', BPF_CMD.PROG_LOAD, attr, [program, license]);
}

function attachedPrograms(group: number): number[] {
  const ids = Buffer.alloc(4 * 64);
  const attr = Buffer.alloc(32);
  attr.writeUInt32LE(group, 0);
  attr.writeUInt32LE(BPF_CGROUP_DEVICE, 4);
  attr.writeBigUInt64LE(BigInt(addressOf(ids)), 16);
  attr.writeUInt32LE(ids.byteLength / 4, 24);
  command('look for device rules of the cgroup', BPF_CMD.PROG_QUERY, attr, [ids]);
  return Array.from({ length: attr.readUInt32LE(24) }, (_, index) => ids.readUInt32LE(index * 4));
}

function detach(group: number, id: number): void {
  const attr = Buffer.alloc(16);
  attr.writeUInt32LE(id, 0);
  const program = command('open the old device rules', BPF_CMD.PROG_GET_FD_BY_ID, attr);
  try {
    command('take off the old device rules', BPF_CMD.PROG_DETACH, attachment(group, program, 0));
  } finally {
    call(close(program));
  }
}

function attachment(group: number, program: number, flags: number): Buffer {
  const attr = Buffer.alloc(16);
  attr.writeUInt32LE(group, 0);
  attr.writeUInt32LE(program, 4);
  attr.writeUInt32LE(BPF_CGROUP_DEVICE, 8);
  attr.writeUInt32LE(flags, 12);
  return attr;
}

/** @param keep memory that `attr` points to, which must outlive the call */
function command(why: string, cmd: number, attr: Buffer, keep: unknown[] = []): number {
  const result = call(because(why, bpf(cmd, attr)));
  keep.length = 0;
  return result;
}
