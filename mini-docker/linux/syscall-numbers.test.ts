// The numbers of system calls, compared with the kernel's headers: those that only a course's exercise or one
// architecture uses are seldom executed by a test.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const headers = {
  x64: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h',
  arm64: '/usr/include/asm-generic/unistd.h',
};

/** 'mount' → 40. Some names stand for another name. */
function numbersIn(header: string): Map<string, number> {
  const defined = new Map(
    [...readFileSync(header, 'utf8').matchAll(/^#define\s+(__NR\w+)\s+(\w+)/gm)].map(([, name, value]) => [
      name!,
      value!,
    ]),
  );
  const resolve = (value: string): number =>
    Number(defined.has(value) ? resolve(defined.get(value)!) : value);
  return new Map([...defined].map(([name, value]) => [name.replace(/^__NR_/, ''), resolve(value)]));
}

/** As syscall() takes them, and as tables of chapter 16 have them. */
const WRITTEN = /(?:syscall\(\s*'(\w+)',|\b(\w+):) \{ x64: (\d+), arm64: (\d+) \}/g;
const IN_A_ROW = /^ {2}\['(\w+)', (\d+), (\d+)(?:, CAP\.\w+)?\],$/gm;

test.skipIf(!Object.values(headers).every(header => existsSync(header)))(
  'numbers of system calls are those of the kernel, on both architectures',
  () => {
    const right = { x64: numbersIn(headers.x64), arm64: numbersIn(headers.arm64) };
    const files = [
      'mini-docker/linux/syscalls.ts',
      'chapters/16-rights/filter.ts',
      'solutions/16-rights/refuse.ts',
    ];
    const written = globSync([...files, 'exercises/16-rights/refuse.ts'], { cwd: root }).flatMap(file => {
      const text = readFileSync(join(root, file), 'utf8');
      const calls = [...text.matchAll(WRITTEN)].map(([, name, key, x64, arm64]) => [name ?? key, x64, arm64]);
      const rows = [...text.matchAll(IN_A_ROW)].map(([, name, x64, arm64]) => [name, x64, arm64]);
      return [...calls, ...rows].map(([name, x64, arm64]) => ({
        file,
        name: name!,
        x64: Number(x64),
        arm64: Number(arm64),
      }));
    });
    expect(written.length).toBeGreaterThan(140);
    expect(
      written.filter(
        ({ name, x64, arm64 }) => right.x64.get(name) !== x64 || right.arm64.get(name) !== arm64,
      ),
    ).toEqual([]);
  },
);
