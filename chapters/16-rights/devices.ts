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
const UNLESS_EQUAL = 0x55;
const JUMP = 0x05;
const EXIT = 0x95;
/** BPF_DEVCG_DEV_CHAR: in the context's first word, whose upper half is what is asked for (read, write, mknod). */
const CHARACTER_DEVICE = 2;

/** struct bpf_insn: the code, two registers of four bits, how far to jump or where to load from, and a number. */
function instruction(code: number, to: number, offset = 0, value = 0, from = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8((from << 4) | to, 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(value, 4);
  return bytes;
}

/** 1 allows and 0 refuses. */
function answer(value: 0 | 1): Buffer[] {
  return [instruction(SET, 0, 0, value), instruction(EXIT, 0)];
}

function deviceProgram(): Buffer {
  const [type, major, minor] = [2, 3, 4];
  return Buffer.concat([
    ...[type, major, minor].map((register, index) => instruction(LOAD_WORD, register, index * 4, 0, 1)),
    instruction(KEEP_BITS, type, 0, 0xffff),
    instruction(UNLESS_EQUAL, type, 1, CHARACTER_DEVICE),
    instruction(JUMP, 0, 2),
    ...answer(0),
    ...ALLOWED.flatMap(([wantedMajor, wantedMinor]) =>
      wantedMinor === undefined
        ? [instruction(UNLESS_EQUAL, major, 2, wantedMajor), ...answer(1)]
        : [
            instruction(UNLESS_EQUAL, major, 3, wantedMajor),
            instruction(UNLESS_EQUAL, minor, 2, wantedMinor),
            ...answer(1),
          ],
    ),
    ...answer(0),
  ]);
}
/** <linux/bpf.h>: commands of bpf(2), and what the program is for. */
const [PROG_LOAD, PROG_ATTACH] = [5, 8];
const CGROUP_DEVICE_PROGRAM = 15;
const CGROUP_DEVICE = 6;
/** Programs of the groups above are asked as well, and all must agree. */
const ALLOW_MULTI = 2;

/** union bpf_attr has addresses in it, so a child does it, for which they are filled in. */
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
