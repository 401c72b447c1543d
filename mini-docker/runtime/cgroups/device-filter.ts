// Loads a BPF program into the kernel and attaches it to a cgroup v2 directory: the device rules, above all. bpf(2)
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

/** A program's purpose: its type, the place it is attached to (<linux/bpf.h>), and its name in messages. */
export interface ProgramKind {
  type: number;
  attachedAs: number;
  called: string;
}
const DEVICE: ProgramKind = { type: 15, attachedAs: 6, called: 'device rules' };

/** Allows several attached programs, all of which must agree: a manager further up may have its own. */
const BPF_F_ALLOW_MULTI = 2;

/** @throws SyscallError when the kernel refuses */
export function setDeviceFilter(directory: string, program: Uint8Array): void {
  setGroupProgram(directory, program, DEVICE);
}

/**
 * Replaces the programs of this kind that were attached to this cgroup.
 * @throws SyscallError when the kernel refuses
 */
export function setGroupProgram(directory: string, program: Uint8Array, kind: ProgramKind): void {
  const group = call(openat(AT.FDCWD, directory, O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0));
  try {
    const before = attachedPrograms(group, kind);
    const loaded = load(program, kind);
    try {
      command(
        `attach the ${kind.called} to the cgroup`,
        BPF_CMD.PROG_ATTACH,
        attachment({ group, program: loaded, kind, flags: BPF_F_ALLOW_MULTI }),
      );
    } finally {
      call(close(loaded));
    }
    for (const id of before) detach(group, id, kind);
  } finally {
    call(close(group));
  }
}

function load(program: Uint8Array, { type, called }: ProgramKind): number {
  const license = Buffer.from('MIT\0');
  const attr = Buffer.alloc(64);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(program.byteLength / 8, 4);
  attr.writeBigUInt64LE(BigInt(addressOf(program)), 8);
  attr.writeBigUInt64LE(BigInt(addressOf(license)), 16);
  attr.write('mini_docker', 48);
  return command(`load the ${called}`, BPF_CMD.PROG_LOAD, attr, [program, license]);
}

function attachedPrograms(group: number, { attachedAs, called }: ProgramKind): number[] {
  const ids = Buffer.alloc(4 * 64);
  const attr = Buffer.alloc(32);
  attr.writeUInt32LE(group, 0);
  attr.writeUInt32LE(attachedAs, 4);
  attr.writeBigUInt64LE(BigInt(addressOf(ids)), 16);
  attr.writeUInt32LE(ids.byteLength / 4, 24);
  command(`look for ${called} of the cgroup`, BPF_CMD.PROG_QUERY, attr, [ids]);
  return Array.from({ length: attr.readUInt32LE(24) }, (_, index) => ids.readUInt32LE(index * 4));
}

function detach(group: number, id: number, kind: ProgramKind): void {
  const attr = Buffer.alloc(16);
  attr.writeUInt32LE(id, 0);
  const program = command(`open the old ${kind.called}`, BPF_CMD.PROG_GET_FD_BY_ID, attr);
  try {
    const attached = attachment({ group, program, kind, flags: 0 });
    command(`take off the old ${kind.called}`, BPF_CMD.PROG_DETACH, attached);
  } finally {
    call(close(program));
  }
}

function attachment(options: { group: number; program: number; kind: ProgramKind; flags: number }): Buffer {
  const { group, program, kind, flags } = options;
  const attr = Buffer.alloc(16);
  attr.writeUInt32LE(group, 0);
  attr.writeUInt32LE(program, 4);
  attr.writeUInt32LE(kind.attachedAs, 8);
  attr.writeUInt32LE(flags, 12);
  return attr;
}

/** @param keep memory that `attr` points to, which must outlive the call */
function command(why: string, cmd: number, attr: Buffer, keep: unknown[] = []): number {
  const result = call(because(why, bpf(cmd, attr)));
  keep.length = 0;
  return result;
}
