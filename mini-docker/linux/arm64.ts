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
    switch (instruction.op) {
      case 'syscall':
        for (let index = 0; index < instruction.args.length; index++)
          load(code, index, instruction.args[index]!);
        moveImmediate(code, NUMBER, instruction.number);
        code.word32(0xd400_0001); // svc #0
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
        code.word32(opcode | (OTHER << 16) | (RESULT << 5) | RESULT); // add, and x0, x0, x10
        break;
      }
      case 'label':
        code.label(instruction.name);
        break;
      case 'jump':
        code.jump(code.length, instruction.to);
        code.word32(0x1400_0000); // b
        break;
      case 'branch': {
        load(code, OTHER, instruction.when === 'failed' ? -4095 : instruction.value);
        code.word32(0xeb00_001f | (OTHER << 16) | (RESULT << 5)); // cmp x0, x10
        const condition =
          instruction.when === 'failed' ? CONDITION.unsignedHigherOrSame : CONDITION[instruction.when];
        code.jump(code.length, instruction.to);
        code.word32(0x5400_0000 | condition); // b.cond
      }
    }
  }
  return code.finish((bytes, at, distance) => {
    const instruction = bytes.readUInt32LE(at);
    const words = distance >> 2;
    const conditional = instruction >>> 24 === 0x54;
    const field = conditional ? (words & 0x7_ffff) << 5 : words & 0x3ff_ffff;
    bytes.writeUInt32LE((instruction | field) >>> 0, at);
  });
}

function load(code: CodeBuffer, register: number, operand: Operand): void {
  if (typeof operand !== 'object') {
    moveImmediate(code, register, operand);
    return;
  }
  moveImmediate(code, ADDRESS, operand.slot);
  code.word32(0xf940_0000 | (ADDRESS << 5) | register); // ldr x, [x9]
}

function store(code: CodeBuffer, slot: number, register = RESULT): void {
  moveImmediate(code, ADDRESS, slot);
  code.word32(0xf900_0000 | (ADDRESS << 5) | register); // str x, [x9]
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
  code.word32(opcode | (first << 21) | (begin << 5) | register);
  parts.forEach((part, index) => {
    if (index > first && part !== filler) code.word32(0xf280_0000 | (index << 21) | (part << 5) | register); // movk
  });
}
