import { expect, test } from 'vitest';
import type { DeviceRule } from '../../formats/oci/runtime-spec.ts';
import { BPF, BPF_DEVCG, deviceProgram } from './device-program.ts';
import { devicePolicy } from './device-rules.ts';

interface Request {
  type: 'b' | 'c';
  major: number;
  minor: number;
  access: string;
}

/** What the kernel does with the program: registers of 64 bits, and a context of three words. */
function interpret(program: Uint8Array, request: Request): boolean {
  const bits = { r: BPF_DEVCG.ACC_READ, w: BPF_DEVCG.ACC_WRITE, m: BPF_DEVCG.ACC_MKNOD };
  const access = [...request.access].reduce((sum, letter) => sum | bits[letter as 'r'], 0);
  const type = request.type === 'b' ? BPF_DEVCG.DEV_BLOCK : BPF_DEVCG.DEV_CHAR;
  const context = Buffer.alloc(12);
  context.writeUInt32LE((access << 16) | type, 0);
  context.writeUInt32LE(request.major, 4);
  context.writeUInt32LE(request.minor, 8);
  const code = Buffer.from(program);
  // undefined is a register that nothing was written to: the verifier refuses to read one.
  const registers: (number | undefined)[] = Array(11).fill(undefined);
  registers[1] = 0;
  const read = (index: number) => {
    const value = registers[index];
    if (value === undefined) throw new Error(`R${index} !read_ok`);
    return value;
  };
  for (let pc = 0; pc < code.length / 8; pc++) {
    const opcode = code.readUInt8(pc * 8);
    const to = code.readUInt8(pc * 8 + 1) & 15;
    const from = code.readUInt8(pc * 8 + 1) >> 4;
    const offset = code.readInt16LE(pc * 8 + 2);
    const value = code.readInt32LE(pc * 8 + 4);
    switch (opcode) {
      case BPF.LDX_MEM_W:
        registers[to] = context.readUInt32LE(read(from) + offset);
        break;
      case BPF.AND32_K:
        registers[to] = (read(to) & value) >>> 0;
        break;
      case BPF.RSH32_K:
        registers[to] = read(to) >>> value;
        break;
      case BPF.MOV32_K:
        registers[to] = value >>> 0;
        break;
      case BPF.MOV32_X:
        registers[to] = read(from);
        break;
      case BPF.JEQ_K:
        if (read(to) === value) pc += offset;
        break;
      case BPF.JNE_K:
        if (read(to) !== value) pc += offset;
        break;
      case BPF.JNE_X:
        if (read(to) !== read(from)) pc += offset;
        break;
      case BPF.EXIT:
        return read(0) === 1;
      default:
        throw new Error(`opcode 0x${opcode.toString(16)}`);
    }
  }
  throw new Error('the program runs over its end');
}

const container: DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 8, access: 'r' },
  { allow: true, type: 'c', major: 136, access: 'rwm' },
  { allow: true, type: 'b', major: 8, minor: 16, access: 'rw' },
];
const privileged: DeviceRule[] = [
  { allow: true },
  { allow: false, type: 'b', major: 8, access: 'w' },
  { allow: false, type: 'c', major: 1, minor: 1 },
];

test.each<[rules: string, request: string, allowed: boolean]>([
  ['container', 'c 1:3 rw', true],
  ['container', 'c 1:3 rwm', true],
  ['container', 'c 1:8 r', true],
  ['container', 'c 1:8 w', false],
  ['container', 'c 1:8 rw', false],
  ['container', 'b 1:3 r', false],
  ['container', 'c 1:4 r', false],
  ['container', 'c 1:4 m', true],
  ['container', 'b 7:0 m', true],
  ['container', 'b 7:0 rm', false],
  ['container', 'c 136:0 rw', true],
  ['container', 'c 136:1048575 rw', true],
  ['container', 'c 137:0 rw', false],
  ['container', 'b 8:16 rw', true],
  ['container', 'b 8:16 w', true],
  // Two rules that each give a part do not add up: c *:* m and b 8:16 rw.
  ['container', 'b 8:16 rwm', false],
  ['container', 'b 8:0 r', false],
  ['privileged', 'c 10:200 rw', true],
  ['privileged', 'b 8:0 r', true],
  ['privileged', 'b 8:0 rw', false],
  ['privileged', 'b 8:16 w', false],
  ['privileged', 'b 9:0 w', true],
  ['privileged', 'c 1:1 m', false],
  ['privileged', 'c 1:1 r', false],
  ['nothing', 'c 1:3 r', false],
])('%s: %s is allowed: %s', (rules, text, allowed) => {
  const program = deviceProgram(devicePolicy({ container, privileged, nothing: [] }[rules]!));
  const [, type, major, minor, access] = /^(\w) (\d+):(\d+) (\w+)$/.exec(text)!;
  const request = { type: type as 'b', major: Number(major), minor: Number(minor), access: access! };
  expect(interpret(program, request)).toBe(allowed);
});

test('a device program reads no register before it was written, whatever the rules', () => {
  for (const rules of [container, privileged, []]) {
    const program = deviceProgram(devicePolicy(rules));
    for (const type of ['b', 'c'] as const) {
      for (const access of ['r', 'w', 'm', 'rwm']) interpret(program, { type, major: 8, minor: 16, access });
    }
  }
});
