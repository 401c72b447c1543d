// Instructions → x86-64 machine code. The kernel takes the number in rax, arguments in rdi, rsi, rdx, r10, r8, r9,
// returns the result in rax, and destroys rcx and r11 (syscall(2), "Architecture calling conventions").
import { CodeBuffer, highHalf, type Instruction, lowHalf, type Operand } from './instructions.ts';

const RAX = 0;
const RCX = 1;
const RBX = 3;
const R11 = 11;
const ARGUMENTS = [7, 6, 2, 10, 8, 9];

/** Encodings: Intel SDM volume 2. */
export function encodeX64(instructions: readonly Instruction[]): Buffer {
  const code = new CodeBuffer();
  for (const instruction of instructions) {
    switch (instruction.op) {
      case 'syscall':
        for (let index = 0; index < instruction.args.length; index++)
          load(code, ARGUMENTS[index]!, instruction.args[index]!);
        moveImmediate(code, RAX, instruction.number);
        code.byte(0x0f); // syscall
        code.byte(0x05);
        if (instruction.slot !== undefined) store(code, instruction.slot);
        break;
      case 'keep':
        store(code, instruction.slot);
        break;
      case 'note':
        moveImmediate(code, RBX, instruction.number);
        break;
      case 'keepNote':
        store(code, instruction.slot, RBX);
        break;
      case 'load':
        load(code, RAX, instruction.value);
        break;
      case 'add':
      case 'and':
        load(code, RCX, instruction.value);
        code.bytes(0x48, instruction.op === 'add' ? 0x01 : 0x21, 0xc8); // add, and %rcx, %rax
        break;
      case 'label':
        code.label(instruction.name);
        break;
      case 'jump':
        code.byte(0xe9); // jmp rel32
        displacement(code, instruction.to);
        break;
      case 'branch':
        if (instruction.when === 'failed') {
          code.byte(0x48); // cmp $-4095, %rax
          code.byte(0x3d);
          code.word32(-4095);
          code.byte(0x0f); // jae: unsigned, so -4095 to -1 are the highest values
          code.byte(0x83);
        } else {
          load(code, RCX, instruction.value);
          code.bytes(0x48, 0x39, 0xc8); // cmp %rcx, %rax
          code.byte(0x0f); // je, jne
          code.byte(instruction.when === 'equal' ? 0x84 : 0x85);
        }
        displacement(code, instruction.to);
    }
  }
  // A displacement counts from the end of its four bytes.
  return code.finish((bytes, at, distance) => bytes.writeInt32LE(distance - 4, at));
}

function displacement(code: CodeBuffer, to: string): void {
  code.jump(code.length, to);
  code.word32(0);
}

function load(code: CodeBuffer, register: number, operand: Operand): void {
  if (typeof operand !== 'object') {
    moveImmediate(code, register, operand);
    return;
  }
  moveImmediate(code, register, operand.slot);
  // mov (%register), %register. rsp, rbp, r12 and r13 would need another form; none of them is used.
  const high = register >> 3;
  const low = register & 7;
  code.bytes(0x48 | (high << 2) | high, 0x8b, (low << 3) | low);
}

function store(code: CodeBuffer, slot: number, register = RAX): void {
  moveImmediate(code, R11, slot);
  code.bytes(0x49, 0x89, (register << 3) | 0x03); // mov %register, (%r11)
}

function moveImmediate(code: CodeBuffer, register: number, value: number | bigint): void {
  const extended = register >> 3;
  const number = register & 7;
  // Nearly all values.
  if (typeof value === 'number' && value > 0 && value <= 0xffff_ffff) {
    if (extended) code.byte(0x41);
    code.byteAndWord32(0xb8 | number, value); // mov $imm32, %r32: the upper half becomes zero
    return;
  }
  const low = lowHalf(value);
  const high = highHalf(value);
  if (low === 0 && high === 0) {
    if (extended) code.byte(0x45);
    code.byte(0x31); // xor %r32, %r32
    code.byte(0xc0 | (number << 3) | number);
  } else if (high === 0) {
    if (extended) code.byte(0x41);
    code.byteAndWord32(0xb8 | number, low);
  } else if (high === 0xffff_ffff && low >= 0x8000_0000) {
    code.byte(0x48 | extended); // mov $imm32, %r64: sign-extended
    code.byte(0xc7);
    code.byteAndWord32(0xc0 | number, low);
  } else {
    code.byte(0x48 | extended); // movabs $imm64, %r64
    code.byteAndWord32(0xb8 | number, low);
    code.word32(high);
  }
}
