// Keeps sandboxes from changing the kernel's settings (/proc/sys), whichever /proc shows them: a BPF program of the
// course's control group, which the kernel asks at each write. Settings of a sandbox's own namespaces may be changed.
import { setGroupProgram } from '../../mini-docker/runtime/cgroups/device-filter.ts';
import { BPF, encodeProgram, type Instruction } from '../../mini-docker/runtime/cgroups/device-program.ts';

/** BPF_PROG_TYPE_CGROUP_SYSCTL and BPF_CGROUP_SYSCTL. <linux/bpf.h> */
const SYSCTL = { type: 23, attachedAs: 18, called: 'rules for settings' };
/** bpf_sysctl_get_name() */
const GET_NAME = 101;

/** Beginnings of the names of settings that a network, IPC, UTS or pid namespace has for itself. */
const OWN = [
  'net/',
  'fs/mqueu',
  ...['host', 'doma', 'ns', 'msg', 'shm', 'sem'].map(name => `kernel/${name}`),
];

/** @param directory of cgroup v2. @throws SyscallError when the kernel refuses */
export function keepSettings(directory: string): true {
  setGroupProgram(directory, settingsProgram(), SYSCTL);
  return true;
}

const [RESULT, CONTEXT, BUFFER, SIZE, FLAGS] = [0, 1, 2, 3, 4];
const FRAME = 10;
const WORD = 3;
const LONGEST_NAME = 128;

/** Returns 1 to allow and 0 to refuse with EPERM. */
function settingsProgram(): Uint8Array {
  const allow: Instruction[] = [
    { code: BPF.MOV32_K, to: RESULT, value: 1 },
    { code: BPF.EXIT, to: 0 },
  ];
  return encodeProgram([
    { code: BPF.LDX_MEM_W, to: WORD, from: CONTEXT, offset: 0 },
    // Reading is allowed. A jump counts from the next instruction.
    { code: BPF.JNE_K, to: WORD, value: 0, offset: allow.length },
    ...allow,
    { code: BPF.MOV64_X, to: BUFFER, from: FRAME },
    { code: BPF.ADD64_K, to: BUFFER, value: -LONGEST_NAME },
    { code: BPF.MOV32_K, to: SIZE, value: LONGEST_NAME },
    { code: BPF.MOV32_K, to: FLAGS, value: 0 },
    { code: BPF.CALL, to: 0, value: GET_NAME },
    ...OWN.flatMap(beginning => ifNameBegins(beginning, allow)),
    { code: BPF.MOV32_K, to: RESULT, value: 0 },
    { code: BPF.EXIT, to: 0 },
  ]);
}

/** Compares four bytes at a time, or two: on its stack a program may load at multiples of what it loads only. */
function ifNameBegins(text: string, code: readonly Instruction[]): Instruction[] {
  const bytes = Buffer.from(text);
  const tests: Instruction[] = [];
  for (let at = 0; at + 2 <= bytes.length; at += 4) {
    const whole = at + 4 <= bytes.length;
    tests.push({
      code: whole ? BPF.LDX_MEM_W : BPF.LDX_MEM_H,
      to: WORD,
      from: FRAME,
      offset: at - LONGEST_NAME,
    });
    tests.push({ code: BPF.JNE_K, to: WORD, value: whole ? bytes.readInt32LE(at) : bytes.readUInt16LE(at) });
  }
  return [...tests, ...code].map((instruction, index) =>
    instruction.code === BPF.JNE_K
      ? { ...instruction, offset: tests.length + code.length - index - 1 }
      : instruction,
  );
}
