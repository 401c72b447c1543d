// Which device files the box may open or make: those that are no hardware, and its terminals.
import { existsSync, writeFileSync } from 'node:fs';
import { AT, because, bpf, clone, dup3, O, openat, resultOf, wait } from '#linux';
import type { Group } from '../07-cgroups/groups.ts';

/** null, zero, full, random, urandom, tty, ptmx, and every terminal (136 to 143 are pts). <linux/major.h> */
const ALLOWED: readonly (readonly [major: number, minor: number | undefined])[] = [
  ...[3, 5, 7, 8, 9].map(minor => [1, minor] as const),
  ...[0, 2].map(minor => [5, minor] as const),
  ...[136, 137, 138, 139, 140, 141, 142, 143].map(major => [major, undefined] as const),
];

/** From now on the group's processes may use no other devices, whatever their files' permissions say. */
export async function allowDevices(group: Group): Promise<void> {
  for (const directory of group) {
    if (existsSync(`${directory}/devices.deny`)) {
      writeFileSync(`${directory}/devices.deny`, 'a');
      for (const [major, minor = '*'] of ALLOWED)
        writeFileSync(`${directory}/devices.allow`, `c ${major}:${minor} rwm`);
    } else if (existsSync(`${directory}/cgroup.controllers`)) await attachProgram(directory, deviceProgram());
  }
}

// Version 2 has no such files. There it is a program again, for a larger machine than that of filter.ts: eBPF, with ten
// registers. Register 1 is the address of a struct bpf_cgroup_dev_ctx, register 0 the answer. <linux/bpf.h>

const LOAD_WORD = 0x61;
const SET = 0xb4;
const KEEP_BITS = 0x54;
const IF_EQUAL = 0x15;
const UNLESS_EQUAL = 0x55;
const EXIT = 0x95;
/** BPF_DEVCG_DEV_CHAR: in the context's first word, whose upper half is what is asked for (read, write, mknod). */
const CHARACTER_DEVICE = 2;

interface Instruction {
  code: number;
  /** Registers: the destination, and where a value comes from. */
  to?: number;
  from?: number;
  /** How far to jump, or where to load from. */
  offset?: number;
  value?: number;
}

/** 1 allows and 0 refuses. */
const answer = (value: 0 | 1): Instruction[] => [{ code: SET, to: 0, value }, { code: EXIT }];

function deviceProgram(): Buffer {
  const [context, type, major, minor] = [1, 2, 3, 4];
  return encode([
    { code: LOAD_WORD, to: type, from: context, offset: 0 },
    { code: LOAD_WORD, to: major, from: context, offset: 4 },
    { code: LOAD_WORD, to: minor, from: context, offset: 8 },
    { code: KEEP_BITS, to: type, value: 0xffff },
    { code: IF_EQUAL, to: type, value: CHARACTER_DEVICE, offset: 2 },
    ...answer(0),
    ...ALLOWED.flatMap(([wantedMajor, wantedMinor]) => [
      { code: UNLESS_EQUAL, to: major, value: wantedMajor, offset: wantedMinor === undefined ? 2 : 3 },
      ...(wantedMinor === undefined
        ? []
        : [{ code: UNLESS_EQUAL, to: minor, value: wantedMinor, offset: 2 }]),
      ...answer(1),
    ]),
    ...answer(0),
  ]);
}

/** struct bpf_insn: eight bytes, the two registers in four bits each. */
function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, to = 0, from = 0, offset = 0, value = 0 }, index) => {
    bytes.writeUInt8(code, index * 8);
    bytes.writeUInt8((from << 4) | to, index * 8 + 1);
    bytes.writeInt16LE(offset, index * 8 + 2);
    bytes.writeInt32LE(value, index * 8 + 4);
  });
  return bytes;
}

/** <linux/bpf.h>: commands of bpf(2), and what the program is for. */
const [PROG_LOAD, PROG_ATTACH] = [5, 8];
const CGROUP_DEVICE_PROGRAM = 15;
const CGROUP_DEVICE = 6;
/** Programs of the groups above are asked as well, and all must agree. */
const ALLOW_MULTI = 2;

/** A child makes the calls: union bpf_attr has addresses in it, and only in a child's steps can they be filled in. */
async function attachProgram(directory: string, program: Buffer): Promise<void> {
  // Numbers that are free, so that they can be written down here already.
  const [group, loaded] = [900, 901];
  const license = Buffer.from('MIT\0');
  const toLoad = Buffer.alloc(64);
  toLoad.writeUInt32LE(CGROUP_DEVICE_PROGRAM, 0);
  toLoad.writeUInt32LE(program.length / 8, 4);
  const toAttach = Buffer.from(new Uint32Array([group, loaded, CGROUP_DEVICE, ALLOW_MULTI]).buffer);
  const opened = openat(AT.FDCWD, directory, O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  const load = because(
    'the kernel checks that it ends and reads nothing else',
    bpf(PROG_LOAD, {
      bytes: toLoad,
      pointers: [
        { at: 8, to: program },
        { at: 16, to: license },
      ],
    }),
  );
  await wait(
    clone(0, [
      opened,
      dup3(resultOf(opened), group, O.CLOEXEC),
      load,
      dup3(resultOf(load), loaded, O.CLOEXEC),
      because('it is asked at every open and mknod in the group', bpf(PROG_ATTACH, toAttach)),
    ]),
  );
}
