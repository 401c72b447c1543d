// execve(2) and execveat(2): a path that exists but cannot be run. fs/exec.c, fs/binfmt_script.c,
// binfmt_elf.c
import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { decodeElfFile, MACHINES, OWN_MACHINE, type ReadAt } from '../elf-file.ts';
import { type Failed, type Hint, hint, seen } from './hint.ts';
import { holders } from './holders.ts';
import { mountHolding, pathAt, reachable, statOf } from './probes.ts';

const calls = ['execve', 'execveat'];

/** Bytes of one argument or environment variable: MAX_ARG_STRLEN, 32 pages. */
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

/** The interpreter that a program needs: that of its #! line, or of its ELF header. */
function interpreterOf(failed: Failed, path: string): string | undefined {
  const bytes = beginning(failed, path);
  if (bytes.toString('latin1', 0, 2) === '#!') return /^#![ \t]*([^\s\0]+\r?)/.exec(bytes.toString())?.[1];
  return decodeElfFile(within(bytes))?.interpreter;
}

/** Reads the beginning of a program, which names its interpreter. */
function within(bytes: Buffer): ReadAt {
  return (offset, length) => bytes.subarray(offset, offset + length);
}

export const execHints: readonly Hint[] = [
  seen(calls, 'ENOENT', failed => {
    const path = pathOf(failed);
    if (statOf(failed, path) === undefined) return `${path} does not exist`;
    const interpreter = interpreterOf(failed, path);
    if (interpreter === undefined) return undefined;
    if (interpreter.endsWith('\r')) {
      return `${path} is there, and its first line ends like one of Windows: the interpreter "${interpreter.slice(0, -1)}\\r" does not exist; write it with LF`;
    }
    if (statOf(failed, interpreter) === undefined)
      return `${path} is there, and ${interpreter}, the interpreter that it names, is not`;
  }),
  hint(calls, 'ENOENT', failed =>
    failed.seen
      ? undefined
      : 'it does not exist, or the interpreter that it names (#!, or its dynamic linker) does not',
  ),
  seen(calls, 'EACCES', failed => {
    const closed = directoriesOf(resolve(pathOf(failed))).find(directory => !searchable(failed, directory));
    return closed && `this user may not go through the directory ${closed}`;
  }),
  seen(calls, 'EACCES', failed => {
    const path = pathOf(failed);
    const stat = statOf(failed, path);
    if (stat?.isDirectory()) return `${path} is a directory`;
    if (stat !== undefined && !stat.isFile()) return `${path} is not a regular file`;
    if (stat !== undefined && (stat.mode & 0o111) === 0)
      return `${path} has no permission to execute: chmod +x`;
    const mount = mountHolding(failed, path);
    if (mount?.options.includes('noexec'))
      return `${path} is on ${mount.mountPoint}, which is mounted noexec`;
  }),
  seen(calls, 'EACCES', failed => {
    const path = pathOf(failed);
    const interpreter = interpreterOf(failed, path);
    const stat = interpreter === undefined ? undefined : statOf(failed, interpreter);
    if (stat !== undefined && (!stat.isFile() || (stat.mode & 0o111) === 0))
      return `${path} can be executed, and ${interpreter}, the interpreter that it names, cannot`;
  }),
  hint(calls, 'ENOEXEC', failed => {
    if (!failed.seen) return 'it is neither a program for this machine nor a script that begins with #!';
    const path = pathOf(failed);
    const bytes = beginning(failed, path);
    if (bytes.length === 0) return `${path} is empty`;
    const elf = decodeElfFile(within(bytes));
    if (elf === undefined) {
      return /^[\x09-\x0d\x20-\x7e]*$/.test(bytes.toString('latin1', 0, 200))
        ? `${path} is text without a first line that says who runs it: begin it with #!/bin/sh`
        : `${path} is no program in a form that this kernel knows`;
    }
    const { machine } = elf;
    return machine === OWN_MACHINE
      ? `${path} is an ELF file for this machine, and damaged or not a program`
      : `${path} is a program for ${MACHINES[machine] ?? `machine ${machine}`}, and this machine is ${MACHINES[OWN_MACHINE]}: take an image of its architecture, or install qemu-user-static`;
  }),
  hint(calls, 'E2BIG', failed => {
    const first = failed.call === 'execve' ? 1 : 2;
    const strings = [...failed.strings(first), ...failed.strings(first + 1)];
    const longest = Math.max(0, ...strings.map(text => Buffer.byteLength(text) + 1));
    const all = strings.reduce((sum, text) => sum + Buffer.byteLength(text) + 9, 0);
    return longest > LONGEST_STRING
      ? `one argument or environment variable has ${longest} bytes, and the most is ${LONGEST_STRING}`
      : `arguments and environment take ${all} bytes, and may take a quarter of the stack's limit (ulimit -s)`;
  }),
  hint([...calls, 'openat'], 'ETXTBSY', failed => {
    if (failed.call === 'openat')
      return `${failed.text(1)} is running: write a new file beside it, and rename that`;
    const path = pathOf(failed);
    return `${path} is still open for writing${failed.seen ? holders(failed, path, 'writing') : ''}`;
  }),
  seen(calls, 'ELOOP', failed => {
    if (statOf(failed, pathOf(failed)) === undefined) return undefined;
    return 'its interpreter is itself a script, and so on, more than four deep';
  }),
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
