// Compiles device rules into a BPF program, the form of cgroup v2: the kernel runs it at each open and mknod
// of a device. Instructions: Documentation/bpf/standardization/instruction-set.rst; context: <linux/bpf.h>,
// struct bpf_cgroup_dev_ctx.
import type { DevicePolicy } from './device-rules.ts';

/** <linux/bpf.h>: bits of the context's first word. */
export const BPF_DEVCG = { ACC_MKNOD: 1, ACC_READ: 2, ACC_WRITE: 4, DEV_BLOCK: 1, DEV_CHAR: 2 } as const;

/**
 * <linux/bpf_common.h>: the opcodes that are used here. K: the operand is in the instruction; X: in a
 * register.
 */
export const BPF = {
  LDX_MEM_W: 0x61,
  LDX_MEM_H: 0x69,
  ADD64_K: 0x07,
  MOV64_X: 0xbf,
  CALL: 0x85,
  AND32_K: 0x54,
  RSH32_K: 0x74,
  MOV32_K: 0xb4,
  MOV32_X: 0xbc,
  JEQ_K: 0x15,
  JNE_K: 0x55,
  JNE_X: 0x5d,
  EXIT: 0x95,
} as const;

/** One instruction: an opcode, registers, and what a load or a jump is relative to. */
export interface Instruction {
  code: number;
  to: number;
  from?: number;
  offset?: number;
  value?: number;
}

const RESULT = 0;
const CONTEXT = 1;
const TYPE = 2;
const ACCESS = 3;
const MAJOR = 4;
const MINOR = 5;
/** The register of the context, free for reuse once the context's words are in registers. */
const SCRATCH = 1;

/**
 * Encodes eight bytes per instruction. The program returns 1 to allow and 0 to refuse, which the caller sees
 * as EPERM.
 */
export function deviceProgram(policy: DevicePolicy): Uint8Array {
  const program: Instruction[] = [
    { code: BPF.LDX_MEM_W, to: TYPE, from: CONTEXT, offset: 0 },
    { code: BPF.MOV32_X, to: ACCESS, from: TYPE },
    { code: BPF.AND32_K, to: TYPE, value: 0xffff },
    { code: BPF.RSH32_K, to: ACCESS, value: 16 },
    { code: BPF.LDX_MEM_W, to: MAJOR, from: CONTEXT, offset: 4 },
    { code: BPF.LDX_MEM_W, to: MINOR, from: CONTEXT, offset: 8 },
  ];
  const allows = policy.default === 'allow';
  for (const exception of policy.exceptions) program.push(...exceptionCode(exception, allows));
  program.push(...answer(allows));
  return encodeProgram(program);
}

/** Returns the opposite of the default when all tests match, and otherwise falls through to the next code. */
function exceptionCode(exception: DevicePolicy['exceptions'][number], allowsElse: boolean): Instruction[] {
  const { type, major, minor, access } = exception;
  const tests: Instruction[] = [
    { code: BPF.JNE_K, to: TYPE, value: type === 'b' ? BPF_DEVCG.DEV_BLOCK : BPF_DEVCG.DEV_CHAR },
  ];
  if (major !== undefined) tests.push({ code: BPF.JNE_K, to: MAJOR, value: major });
  if (minor !== undefined) tests.push({ code: BPF.JNE_K, to: MINOR, value: minor });
  if (access !== 'rwm') {
    tests.push({ code: BPF.MOV32_X, to: SCRATCH, from: ACCESS });
    tests.push({ code: BPF.AND32_K, to: SCRATCH, value: accessBits(access) });
    // All requested access must be allowed, so one refused part is enough to refuse.
    if (allowsElse) tests.push({ code: BPF.JEQ_K, to: SCRATCH, value: 0 });
    else tests.push({ code: BPF.JNE_X, to: SCRATCH, from: ACCESS });
  }
  const code = [...tests, ...answer(!allowsElse)];
  return code.map((instruction, index) => {
    const isJump = [BPF.JNE_K, BPF.JNE_X, BPF.JEQ_K].includes(instruction.code as never);
    // A jump's offset counts from the next instruction.
    return isJump ? { ...instruction, offset: code.length - index - 1 } : instruction;
  });
}

function answer(allow: boolean): Instruction[] {
  return [
    { code: BPF.MOV32_K, to: RESULT, value: allow ? 1 : 0 },
    { code: BPF.EXIT, to: 0 },
  ];
}

function accessBits(access: string): number {
  const bits = { r: BPF_DEVCG.ACC_READ, w: BPF_DEVCG.ACC_WRITE, m: BPF_DEVCG.ACC_MKNOD };
  return [...access].reduce((sum, letter) => sum | bits[letter as 'r' | 'w' | 'm'], 0);
}

/** struct bpf_insn: code, registers (destination in the low half), offset, immediate. */
export function encodeProgram(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, to, from = 0, offset = 0, value = 0 }, index) => {
    bytes.writeUInt8(code, index * 8);
    bytes.writeUInt8((from << 4) | to, index * 8 + 1);
    bytes.writeInt16LE(offset, index * 8 + 2);
    bytes.writeInt32LE(value, index * 8 + 4);
  });
  return bytes;
}
