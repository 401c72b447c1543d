// Instructions → arm64 machine code. The kernel takes the number in x8, arguments in x0 to x5, and answers in x0
// (syscall(2), "Architecture calling conventions"). The other registers keep their values.
import { CodeBuffer, highHalf, type Instruction, lowHalf, type Operand } from './instructions.ts';

const RESULT = 0;
const NUMBER = 8;
const ADDRESS = 9;
const OTHER = 10;
const NOTE = 19;

const CONDITION = { equal: 0, different: 1, unsignedHigherOrSame: 2 };

/** Encodings: Arm Architecture Reference Manual, C6. */
export function encodeArm64(instructions: readonly Instruction[]): Buffer {
  const code = new CodeBuffer();
  for (const instruction of instructions) {
    code.makeRoom();
    switch (instruction.op) {
      case 'syscall':
        for (let index = 0; index < instruction.args.length; index++)
          load(code, index, instruction.args[index]!);
        moveImmediate(code, NUMBER, instruction.number);
        code.put(0xd400_0001, 4); // svc #0
        if (instruction.slot !== undefined) store(code, instruction.slot);
        break;
      case 'keep':
        store(code, instruction.slot);
        break;
      case 'note':
        moveImmediate(code, NOTE, instruction.number);
        break;
      case 'keepNote':
        store(code, instruction.slot, NOTE);
        break;
      case 'load':
        load(code, RESULT, instruction.value);
        break;
      case 'add':
      case 'and': {
        load(code, OTHER, instruction.value);
        const opcode = instruction.op === 'add' ? 0x8b00_0000 : 0x8a00_0000;
        code.put(opcode | (OTHER << 16) | (RESULT << 5) | RESULT, 4); // add, and x0, x0, x10
        break;
      }
      case 'label':
        code.label(instruction.name);
        break;
      case 'jump':
        code.jump(code.length, instruction.to);
        code.put(0x1400_0000, 4); // b
        break;
      case 'check':
        moveImmediate(code, NOTE, instruction.number);
        branch(code, -4095, CONDITION.unsignedHigherOrSame, instruction.to);
        break;
      case 'branch':
        branch(code, instruction.value, CONDITION[instruction.when], instruction.to);
    }
  }
  return code.finish((bytes, at, distance) => {
    const instruction = bytes.getUint32(at, true);
    const words = distance >> 2;
    const conditional = instruction >>> 24 === 0x54;
    const field = conditional ? (words & 0x7_ffff) << 5 : words & 0x3ff_ffff;
    bytes.setInt32(at, instruction | field, true);
  });
}

function branch(code: CodeBuffer, value: Operand, condition: number, to: string): void {
  load(code, OTHER, value);
  code.put(0xeb00_001f | (OTHER << 16) | (RESULT << 5), 4); // cmp x0, x10
  code.jump(code.length, to);
  code.put(0x5400_0000 | condition, 4); // b.cond
}

function load(code: CodeBuffer, register: number, operand: Operand): void {
  if (typeof operand !== 'object') {
    moveImmediate(code, register, operand);
    return;
  }
  moveImmediate(code, ADDRESS, operand.slot);
  code.put(0xf940_0000 | (ADDRESS << 5) | register, 4); // ldr x, [x9]
}

function store(code: CodeBuffer, slot: number, register = RESULT): void {
  moveImmediate(code, ADDRESS, slot);
  code.put(0xf900_0000 | (ADDRESS << 5) | register, 4); // str x, [x9]
}

/** movz and a movk for every further 16 bits that are not zero; movn for numbers that begin with ones. */
function moveImmediate(code: CodeBuffer, register: number, value: number | bigint): void {
  const low = lowHalf(value);
  const high = highHalf(value);
  const parts = [low & 0xffff, low >>> 16, high & 0xffff, high >>> 16];
  const negative = high === 0xffff_ffff;
  const filler = negative ? 0xffff : 0;
  const first = Math.max(
    parts.findIndex(part => part !== filler),
    0,
  );
  const opcode = negative ? 0x9280_0000 : 0xd280_0000; // movn, movz
  const begin = negative ? ~parts[first]! & 0xffff : parts[first]!;
  code.put(opcode | (first << 21) | (begin << 5) | register, 4);
  parts.forEach((part, index) => {
    if (index > first && part !== filler) code.put(0xf280_0000 | (index << 21) | (part << 5) | register, 4); // movk
  });
}
