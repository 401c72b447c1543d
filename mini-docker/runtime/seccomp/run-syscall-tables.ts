// Writes syscall-tables.ts from the kernel's headers:
//   node mini-docker/runtime/seccomp/run-syscall-tables.ts DIRECTORY RELEASE
// where DIRECTORY has a folder for each architecture, as /usr/lib/linux/uapi of Debian's linux-libc-dev (7.2 was used).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const X32_BIT = 0x4000_0000;
const ARM_PRIVATE = 0x000f_0000;
const sources = {
  x64: ['x86/asm/unistd_64.h'],
  x86: ['x86/asm/unistd_32.h'],
  x32: ['x86/asm/unistd_x32.h'],
  arm64: ['arm64/asm/unistd_64.h'],
  arm: ['arm/asm/unistd-eabi.h', 'arm/asm/unistd.h'],
};
const LINE =
  /^#define __(?:ARM_)?NR_(\w+)\s+\(?(?:__(X32_SYSCALL_BIT|NR_SYSCALL_BASE|ARM_NR_BASE)\s*\+\s*)?(\d+)\)?$/;

function numbersIn(text: string): [number, string][] {
  return text.split('\n').flatMap((line): [number, string][] => {
    const [, name = '', base, number] = LINE.exec(line) ?? [];
    if (number === undefined) return [];
    const added = base === 'X32_SYSCALL_BIT' ? X32_BIT : base === 'ARM_NR_BASE' ? ARM_PRIVATE : 0;
    return [[Number(number) + added, name]];
  });
}

/**
 * The names in the order of their numbers; a number precedes a name that does not follow the previous one.
 */
function words(numbers: [number, string][]): string[] {
  let next = 0;
  return numbers
    .sort(([a], [b]) => a - b)
    .flatMap(([number, name]) => {
      const jump = number === next ? [] : [String(number)];
      next = number + 1;
      return [...jump, name];
    });
}

function lines(all: string[]): string {
  const result = [''];
  for (const word of all) {
    const last = result.pop()!;
    if (last.length + word.length > 100) result.push(last, word);
    else result.push(last === '' ? word : `${last} ${word}`);
  }
  return result.join('\n');
}

const [directory = '/usr/lib/linux/uapi', release = 'unknown'] = process.argv.slice(2);
const tables = Object.entries(sources).map(([architecture, files]) => {
  const numbers = files.flatMap(file => numbersIn(readFileSync(join(directory, file), 'utf8')));
  return `  ${architecture}: \`${lines(words(numbers))}\`,\n`;
});
writeFileSync(
  join(import.meta.dirname, 'syscall-tables.ts'),
  `// System calls by number, of Linux ${release}: written by run-syscall-tables.ts from the kernel's headers. A word is the
// name of the next number; a number is that of the next name.
export const SYSCALL_TABLES = {
${tables.join('')}} as const;
`,
);
