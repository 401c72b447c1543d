// execve(2) and execveat(2): a path that is there, and yet cannot be run. fs/exec.c, fs/binfmt_script.c, binfmt_elf.c
import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Failed, Hint } from './hint.ts';
import { holders } from './holders.ts';
import { mountHolding, pathAt, reachable, statOf } from './probes.ts';

const calls = ['execve', 'execveat'];

/** One argument or environment variable: MAX_ARG_STRLEN, 32 pages. */
const LONGEST_STRING = 131_072;

function pathOf(failed: Failed): string {
  return failed.call === 'execve' ? failed.text(0) : pathAt(failed, 0, 1);
}

function beginning(failed: Failed, path: string): Buffer {
  const fd = openSync(reachable(failed, path), 'r');
  try {
    const bytes = Buffer.alloc(4096);
    return bytes.subarray(0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

/** What has to be there beside the program: the #! line's interpreter, or the ELF header's. */
function interpreterOf(failed: Failed, path: string): string | undefined {
  const bytes = beginning(failed, path);
  if (bytes.toString('latin1', 0, 2) === '#!') return /^#![ \t]*([^\s\0]+\r?)/.exec(bytes.toString())?.[1];
  if (bytes.readUInt32BE(0) !== ELF_MAGIC || bytes[4] !== ELFCLASS64) return undefined;
  const [headers, size, count] = [
    Number(bytes.readBigUInt64LE(32)),
    bytes.readUInt16LE(54),
    bytes.readUInt16LE(56),
  ];
  for (let at = headers; at < headers + size * count; at += size) {
    if (bytes.readUInt32LE(at) !== PT_INTERP) continue;
    const offset = Number(bytes.readBigUInt64LE(at + 8));
    return bytes.toString('utf8', offset, bytes.indexOf(0, offset));
  }
  return undefined;
}

/** <elf.h> */
const ELF_MAGIC = 0x7f45_4c46;
const ELFCLASS64 = 2;
const PT_INTERP = 3;
const machines: Readonly<Record<number, string>> = {
  3: '32-bit x86',
  8: 'MIPS',
  20: '32-bit PowerPC',
  21: 'PowerPC',
  22: 's390x',
  40: '32-bit ARM',
  62: 'x86-64',
  183: 'arm64',
  243: 'RISC-V',
  258: 'LoongArch',
};
const ownMachine = process.arch === 'x64' ? 62 : 183;

export const execHints: readonly Hint[] = [
  {
    calls,
    code: 'ENOENT',
    explain: failed => {
      if (!failed.seen) return undefined;
      const path = pathOf(failed);
      if (statOf(failed, path) === undefined) return `${path} does not exist`;
      const interpreter = interpreterOf(failed, path);
      if (interpreter === undefined) return undefined;
      if (interpreter.endsWith('\r')) {
        return `${path} is there, and its first line ends like one of Windows: the interpreter "${interpreter.slice(0, -1)}\\r" does not exist; write it with LF`;
      }
      return statOf(failed, interpreter) === undefined
        ? `${path} is there, and ${interpreter}, the interpreter that it names, is not`
        : undefined;
    },
  },
  {
    calls,
    code: 'ENOENT',
    explain: failed =>
      failed.seen
        ? undefined
        : 'it does not exist, or the interpreter that it names (#!, or its dynamic linker) does not',
  },
  {
    calls,
    code: 'EACCES',
    explain: failed => {
      if (!failed.seen) return undefined;
      const closed = directoriesOf(resolve(pathOf(failed))).find(directory => !searchable(failed, directory));
      return closed && `this user may not go through the directory ${closed}`;
    },
  },
  {
    calls,
    code: 'EACCES',
    explain: failed => {
      if (!failed.seen) return undefined;
      const path = pathOf(failed);
      const stat = statOf(failed, path);
      if (stat?.isDirectory()) return `${path} is a directory`;
      if (stat !== undefined && !stat.isFile()) return `${path} is not a regular file`;
      if (stat !== undefined && (stat.mode & 0o111) === 0)
        return `${path} has no permission to execute: chmod +x`;
      const mount = mountHolding(failed, path);
      return mount?.options.includes('noexec')
        ? `${path} is on ${mount.mountPoint}, which is mounted noexec`
        : undefined;
    },
  },
  {
    calls,
    code: 'EACCES',
    explain: failed => {
      if (!failed.seen) return undefined;
      const path = pathOf(failed);
      const interpreter = interpreterOf(failed, path);
      const stat = interpreter === undefined ? undefined : statOf(failed, interpreter);
      return stat !== undefined && (!stat.isFile() || (stat.mode & 0o111) === 0)
        ? `${path} can be executed, and ${interpreter}, the interpreter that it names, cannot`
        : undefined;
    },
  },
  {
    calls,
    code: 'ENOEXEC',
    explain: failed => {
      if (!failed.seen) return 'it is neither a program for this machine nor a script that begins with #!';
      const path = pathOf(failed);
      const bytes = beginning(failed, path);
      if (bytes.length === 0) return `${path} is empty`;
      if (bytes.length < 20 || bytes.readUInt32BE(0) !== ELF_MAGIC) {
        return /^[\x09-\x0d\x20-\x7e]*$/.test(bytes.toString('latin1', 0, 200))
          ? `${path} is text without a first line that says who runs it: begin it with #!/bin/sh`
          : `${path} is no program in a form that this kernel knows`;
      }
      const machine = bytes.readUInt16LE(18);
      return machine === ownMachine
        ? `${path} is an ELF file for this machine, and damaged or not a program`
        : `${path} is a program for ${machines[machine] ?? `machine ${machine}`}, and this machine is ${machines[ownMachine]}: take an image of its architecture, or install qemu-user-static`;
    },
  },
  {
    calls,
    code: 'E2BIG',
    explain: failed => {
      const first = failed.call === 'execve' ? 1 : 2;
      const strings = [...failed.strings(first), ...failed.strings(first + 1)];
      const longest = Math.max(0, ...strings.map(text => Buffer.byteLength(text) + 1));
      const all = strings.reduce((sum, text) => sum + Buffer.byteLength(text) + 9, 0);
      return longest > LONGEST_STRING
        ? `one argument or environment variable has ${longest} bytes, and the most is ${LONGEST_STRING}`
        : `arguments and environment take ${all} bytes, and may take a quarter of the stack's limit (ulimit -s)`;
    },
  },
  {
    calls: [...calls, 'openat'],
    code: 'ETXTBSY',
    explain: failed => {
      if (failed.call === 'openat')
        return `${failed.text(1)} is running: write a new file beside it, and rename that`;
      const path = pathOf(failed);
      return `somebody still has ${path} open for writing${failed.seen ? holders(failed, path, 'writing') : ''}`;
    },
  },
  {
    calls,
    code: 'ELOOP',
    explain: failed => {
      if (!failed.seen || statOf(failed, pathOf(failed)) === undefined) return undefined;
      return 'its interpreter is itself a script, and so on, more than four deep';
    },
  },
];

function directoriesOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...directoriesOf(parent), parent];
}

function searchable(failed: Failed, directory: string): boolean {
  try {
    accessSync(reachable(failed, directory), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
