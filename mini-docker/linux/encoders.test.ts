// Compares the encoders' output with the GNU assembler's for the same instructions, which are translated to
// assembly language in this file.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeArm64 } from './arm64.ts';
import type { Instruction, Operand } from './instructions.ts';
import type { Architecture } from './step.ts';
import { encodeX64 } from './x64.ts';

const tools: Record<Architecture, string> = {
  x64: process.arch === 'x64' ? '' : 'x86_64-linux-gnu-',
  arm64: process.arch === 'arm64' ? '' : 'aarch64-linux-gnu-',
};

function assemble(architecture: Architecture, source: string): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-as-'));
  try {
    const [text, object, binary] = ['s', 'o', 'bin'].map(ending => join(directory, `code.${ending}`)) as [
      string,
      string,
      string,
    ];
    writeFileSync(text, source);
    const prefix = tools[architecture];
    execFileSync(`${prefix}as`, [text, '-o', object], { stdio: ['ignore', 'ignore', 'pipe'] });
    execFileSync(`${prefix}objcopy`, ['-O', 'binary', '-j', '.text', object, binary]);
    return readFileSync(binary);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const name = (label: string): string => label.replaceAll(' ', '_');

const x64 = {
  registers: ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'],
  low: (register: string) =>
    register.startsWith('r') && /\d/.test(register) ? `${register}d` : `e${register.slice(1)}`,
  move(register: string, value: number | bigint): string {
    const bits = BigInt.asUintN(64, BigInt(value));
    if (bits === 0n) return `xorl %${x64.low(register)}, %${x64.low(register)}\n`;
    if (bits < 1n << 32n) return `movl $${bits}, %${x64.low(register)}\n`;
    if (bits >= 0xffff_ffff_8000_0000n) return `movq $${BigInt.asIntN(64, bits)}, %${register}\n`;
    return `movabsq $${bits}, %${register}\n`;
  },
  load: (register: string, operand: Operand): string =>
    typeof operand !== 'object'
      ? x64.move(register, operand)
      : `${x64.move(register, operand.slot)}movq (%${register}), %${register}\n`,
  store: (slot: number, register = 'rax'): string => `${x64.move('r11', slot)}movq %${register}, (%r11)\n`,
  // GAS shortens jumps that reach; ours are always of the long form.
  jump: (operation: string, to: string): string => `${operation}.d32 ${name(to)}\n`,
  text(instruction: Instruction): string {
    switch (instruction.op) {
      case 'syscall':
        return `${instruction.args.map((arg, index) => x64.load(x64.registers[index]!, arg)).join('')}${x64.move('rax', instruction.number)}syscall\n${instruction.slot === undefined ? '' : x64.store(instruction.slot)}`;
      case 'keep':
        return x64.store(instruction.slot);
      case 'note':
        return x64.move('rbx', instruction.number);
      case 'keepNote':
        return x64.store(instruction.slot, 'rbx');
      case 'load':
        return x64.load('rax', instruction.value);
      case 'add':
      case 'and':
        return `${x64.load('rcx', instruction.value)}${instruction.op}q %rcx, %rax\n`;
      case 'label':
        return `${name(instruction.name)}:\n`;
      case 'jump':
        return x64.jump('jmp', instruction.to);
      case 'check':
        return `${x64.move('rbx', instruction.number)}cmpq $-4095, %rax\n${x64.jump('jae', instruction.to)}`;
      case 'branch':
        return `${x64.load('rcx', instruction.value)}cmpq %rcx, %rax\n${x64.jump(instruction.when === 'equal' ? 'je' : 'jne', instruction.to)}`;
    }
  },
};

const arm64 = {
  move(register: string, value: number | bigint): string {
    const bits = BigInt.asUintN(64, BigInt(value));
    const parts = [0n, 16n, 32n, 48n].map(shift => (bits >> shift) & 0xffffn);
    const negative = bits >> 32n === 0xffff_ffffn;
    const filler = negative ? 0xffffn : 0n;
    const first = Math.max(
      parts.findIndex(part => part !== filler),
      0,
    );
    const begin = negative
      ? `movn ${register}, #${~parts[first]! & 0xffffn}`
      : `movz ${register}, #${parts[first]}`;
    const rest = parts.map((part, index) =>
      index > first && part !== filler ? `movk ${register}, #${part}, lsl #${index * 16}\n` : '',
    );
    return `${begin}, lsl #${first * 16}\n${rest.join('')}`;
  },
  load: (register: string, operand: Operand): string =>
    typeof operand !== 'object'
      ? arm64.move(register, operand)
      : `${arm64.move('x9', operand.slot)}ldr ${register}, [x9]\n`,
  store: (slot: number, register = 'x0'): string => `${arm64.move('x9', slot)}str ${register}, [x9]\n`,
  branch: (value: Operand, condition: string, to: string): string =>
    `${arm64.load('x10', value)}cmp x0, x10\nb.${condition} ${name(to)}\n`,
  text(instruction: Instruction): string {
    switch (instruction.op) {
      case 'syscall':
        return `${instruction.args.map((arg, index) => arm64.load(`x${index}`, arg)).join('')}${arm64.move('x8', instruction.number)}svc #0\n${instruction.slot === undefined ? '' : arm64.store(instruction.slot)}`;
      case 'keep':
        return arm64.store(instruction.slot);
      case 'note':
        return arm64.move('x19', instruction.number);
      case 'keepNote':
        return arm64.store(instruction.slot, 'x19');
      case 'load':
        return arm64.load('x0', instruction.value);
      case 'add':
      case 'and':
        return `${arm64.load('x10', instruction.value)}${instruction.op} x0, x0, x10\n`;
      case 'label':
        return `${name(instruction.name)}:\n`;
      case 'jump':
        return `b ${name(instruction.to)}\n`;
      case 'check':
        return `${arm64.move('x19', instruction.number)}${arm64.branch(-4095, 'hs', instruction.to)}`;
      case 'branch':
        return arm64.branch(instruction.value, instruction.when === 'equal' ? 'eq' : 'ne', instruction.to);
    }
  },
};

const values = [
  0,
  1,
  -1,
  -100,
  255,
  4096,
  0x7fff_ffff,
  0x8000_0000,
  -0x8000_0000,
  -0x8000_0001,
  0xffff_ffff,
  0x1_0000_0000,
  0x7f12_3456_7890,
  0xffff_0000_ffffn,
  0xffff_ffff_0000_1234n,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn,
  0x1234_0000,
  0x10_0000_0000_0000n,
];

/** Every operation, every register and every form of a number, with jumps forwards and backwards. */
const program: Instruction[] = [
  { op: 'label', name: 'begin' },
  ...values.flatMap((value): Instruction[] => [
    { op: 'syscall', number: 165, args: Array(6).fill(value), slot: 0x1000_0008 },
    { op: 'load', value: value },
    { op: 'add', value: value },
    { op: 'and', value: value },
    { op: 'branch', when: 'equal', value: value, to: 'end of it' },
    { op: 'branch', when: 'different', value: value, to: 'begin' },
  ]),
  { op: 'syscall', number: 0, args: Array(6).fill({ slot: 0x7f00_1234_5678 }) },
  { op: 'syscall', number: 435, args: [] },
  { op: 'check', number: 7, to: 'begin' },
  { op: 'check', number: 70_000, to: 'end of it' },
  { op: 'branch', when: 'equal', value: { slot: 0x1000_0010 }, to: 'begin' },
  { op: 'keep', slot: 0x1000_0010 },
  { op: 'note', number: 7 },
  { op: 'note', number: 70_000 },
  { op: 'keepNote', slot: 0x7f00_1234_5678 },
  { op: 'jump', to: 'begin' },
  { op: 'jump', to: 'end of it' },
  { op: 'label', name: 'end of it' },
  { op: 'load', value: { slot: 0x1000_0010 } },
];

describe.each<
  [Architecture, (instructions: readonly Instruction[]) => Buffer, (instruction: Instruction) => string]
>([
  ['x64', encodeX64, x64.text],
  ['arm64', encodeArm64, arm64.text],
])('%s', (architecture, encode, text) => {
  const missing = spawnSync(`${tools[architecture]}as`, ['--version']).error !== undefined;

  test.skipIf(missing)('machine code is what the GNU assembler makes of the same instructions', () => {
    const expected = assemble(architecture, `.text\n${program.map(text).join('')}`);
    expect(encode(program).toString('hex')).toBe(
      expected.subarray(0, encode(program).length).toString('hex'),
    );
    expect(expected.length).toBeLessThan(encode(program).length + 8); // as pads the section
  });

  test('a jump to a label that is not there is refused', () => {
    expect(() => encode([{ op: 'jump', to: 'nowhere' }])).toThrow("jumps to 'nowhere'");
  });

  test('code longer than its first buffer is encoded whole', () => {
    const one: Instruction[] = [{ op: 'syscall', number: 39, args: [], slot: 0x1000_0008 }];
    const many = encode(Array.from({ length: 2000 }, () => one[0]!));
    expect(many.equals(Buffer.concat(Array.from({ length: 2000 }, () => encode(one))))).toBe(true);
  });
});
