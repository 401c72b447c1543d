// Instructions → x86-64 machine code. The kernel takes the number in rax, arguments in rdi, rsi, rdx, r10, r8, r9,
// returns the result in rax, and destroys rcx and r11 (syscall(2), "Architecture calling conventions").
import { CodeBuffer, highHalf, type Instruction, lowHalf, type Operand } from './instructions.ts';

const RAX = 0;
const RCX = 1;
const RBX = 3;
const R11 = 11;
const ARGUMENTS = [7, 6, 2, 10, 8, 9];
const MOVE_ARGUMENT = ARGUMENTS.map(moveWord);

/** Encodings: Intel SDM volume 2. Bytes stand in little-endian numbers: the first byte is the lowest. */
export function encodeX64(instructions: readonly Instruction[]): Buffer {
  const code = new CodeBuffer();
  for (const instruction of instructions) {
    code.makeRoom();
    switch (instruction.op) {
      case 'syscall':
        for (let index = 0; index < instruction.args.length; index++) {
          const operand = instruction.args[index]!;
          // Nearly all.
          if (typeof operand === 'number' && operand > 0 && operand <= 0xffff_ffff)
            code.putWithWord(MOVE_ARGUMENT[index]!, index < 3 ? 1 : 2, operand);
          else load(code, ARGUMENTS[index]!, operand);
        }
        moveImmediate(code, RAX, instruction.number);
        code.put(0x050f, 2); // syscall
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
      case 'check':
        moveImmediate(code, RBX, instruction.number);
        code.putWithWord(0x3d48, 2, -4095); // cmp $-4095, %rax
        jump(code, 0x830f, 2, instruction.to); // jae: unsigned, so -4095 to -1 are the highest values
        break;
      case 'load':
        load(code, RAX, instruction.value);
        break;
      case 'add':
      case 'and':
        load(code, RCX, instruction.value);
        code.put(instruction.op === 'add' ? 0xc8_0148 : 0xc8_2148, 3); // add, and %rcx, %rax
        break;
      case 'label':
        code.label(instruction.name);
        break;
      case 'jump':
        jump(code, 0xe9, 1, instruction.to); // jmp rel32
        break;
      case 'branch':
        load(code, RCX, instruction.value);
        code.put(0xc8_3948, 3); // cmp %rcx, %rax
        jump(code, instruction.when === 'equal' ? 0x840f : 0x850f, 2, instruction.to); // je, jne
    }
  }
  // A displacement counts from the end of its four bytes.
  return code.finish((bytes, at, distance) => bytes.setInt32(at, distance - 4, true));
}

function jump(code: CodeBuffer, opcode: number, size: number, to: string): void {
  code.jump(code.length + size, to);
  code.putWithWord(opcode, size, 0);
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
  code.put(0x48 | (high << 2) | high | 0x8b00 | (((low << 3) | low) << 16), 3);
}

function store(code: CodeBuffer, slot: number, register = RAX): void {
  moveImmediate(code, R11, slot);
  code.put(0x03_8949 | (register << 19), 3); // mov %register, (%r11)
}

function moveImmediate(code: CodeBuffer, register: number, value: number | bigint): void {
  const number = register & 7;
  const size = register < 8 ? 1 : 2;
  if (typeof value === 'number' && value > 0 && value <= 0xffff_ffff) {
    code.putWithWord(moveWord(register), size, value);
    return;
  }
  const low = lowHalf(value);
  const high = highHalf(value);
  if (low === 0 && high === 0) {
    const xor = 0xc031 | (number << 11) | (number << 8); // xor %r32, %r32
    if (register < 8) code.put(xor, 2);
    else code.put(0x45 | (xor << 8), 3);
  } else if (high === 0) {
    code.putWithWord(moveWord(register), size, low);
  } else if (high === 0xffff_ffff && low >= 0x8000_0000) {
    code.putWithWord(0xc0_c748 | (register >> 3) | (number << 16), 3, low); // mov $imm32, %r64: sign-extended
  } else {
    code.putWithWord(0xb848 | (register >> 3) | (number << 8), 2, low); // movabs $imm64, %r64
    code.put(high, 4);
  }
}

/** mov $imm32, %r32, which makes the upper half zero; from r8 on there is a prefix byte. */
function moveWord(register: number): number {
  return register < 8 ? 0xb8 | register : 0xb841 | ((register & 7) << 8);
}
