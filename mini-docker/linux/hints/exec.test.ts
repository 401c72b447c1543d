import { chmodSync, closeSync, copyFileSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { enterOwnMounts, shell } from '../../../test/own-mounts.ts';
import { hintBelow, hintOf } from '../../../test/provoke.ts';
import { call } from '../call.ts';
import { AT } from '../constants.ts';
import { ERRNO } from '../errno.ts';
import { hintFor } from '../hints.ts';
import { execve, execveat } from '../syscalls.ts';

beforeAll(enterOwnMounts);

/** Were it to succeed, the test would be gone. */
const run = (path: string, args: string[] = [path], env: string[] = []) =>
  hintOf(() => call(execve(path, args, env)));

function file(path: string, content: string | Uint8Array, mode = 0o755): string {
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** /bin/true with some bytes changed. */
function program(path: string, change: (elf: Buffer) => void): string {
  const elf = Buffer.from(shell('base64 /bin/true'), 'base64');
  change(elf);
  return file(path, elf);
}

test('a program that is not there, and one whose interpreter is not there', () => {
  expect(run('/tmp/nothing')).toBe('ENOENT: /tmp/nothing does not exist');
  expect(run(file('/tmp/script', '#! /usr/bin/fish3 -x\n'))).toBe(
    'ENOENT: /tmp/script is there, and /usr/bin/fish3, the interpreter that it names, is not',
  );
  expect(run(file('/tmp/crlf', '#!/bin/sh\r\necho\r\n'))).toMatch(
    /ENOENT: .*ends like one of Windows.*write it with LF/,
  );
  const foreign = program('/tmp/foreign', elf => elf.write('x', elf.indexOf('/lib64/ld-linux') + 1));
  expect(run(foreign)).toMatch(
    /ENOENT: \/tmp\/foreign is there, and \/xib64\/ld-linux-x86-64.so.2, the interpreter/,
  );
  const fd = openSync('/tmp', 'r');
  expect(hintOf(() => call(execveat(fd, 'script', ['x'], [], 0)))).toMatch(/ENOENT: \/tmp\/script is there/);
  expect(hintOf(() => call(execveat(AT.FDCWD, '/tmp/script', ['x'], [], 0)))).toMatch(
    /ENOENT: \/tmp\/script is there/,
  );
  closeSync(fd);
});

test('of a child that is gone both reasons are told', () => {
  expect(hintFor(execve('/tmp/script', [], []), ERRNO.ENOENT!, { gone: true })).toMatch(
    /does not exist, or the interpreter/,
  );
});

test('four reasons for EACCES', () => {
  expect(run('/tmp')).toBe('EACCES: /tmp is a directory');
  expect(run(file('/tmp/data', '#!/bin/sh\n', 0o644))).toBe(
    'EACCES: /tmp/data has no permission to execute: chmod +x',
  );
  shell('mkdir /tmp/noexec; mount -t tmpfs -o noexec x /tmp/noexec');
  expect(run(file('/tmp/noexec/script', '#!/bin/sh\n'))).toBe(
    'EACCES: /tmp/noexec/script is on /tmp/noexec, which is mounted noexec',
  );
  expect(run(file('/tmp/of-data', '#!/tmp/data\n'))).toBe(
    'EACCES: /tmp/of-data can be executed, and /tmp/data, the interpreter that it names, cannot',
  );
});

test('a directory that the user may not enter', () => {
  mkdirSync('/tmp/closed', { mode: 0o700 });
  copyFileSync('/bin/true', '/tmp/closed/true');
  chmodSync('/tmp', 0o755);
  const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
  expect(hintBelow(nobody, "call(execve('/tmp/closed/true', ['true'], []))")).toBe(
    'EACCES: this user may not go through the directory /tmp/closed',
  );
});

test('what has no form that the kernel knows', () => {
  expect(run(file('/tmp/empty', ''))).toBe('ENOEXEC: /tmp/empty is empty');
  expect(run(file('/tmp/text', 'echo hello\n'))).toMatch(
    /ENOEXEC: \/tmp\/text is text without a first line.*#!\/bin\/sh/,
  );
  expect(run(file('/tmp/noise', Buffer.alloc(100, 0xee)))).toMatch(/ENOEXEC: .*no program in a form/);
  const other = process.arch === 'x64' ? 183 : 62;
  expect(run(program('/tmp/other', elf => elf.writeUInt16LE(other, 18)))).toMatch(
    /ENOEXEC: \/tmp\/other is a program for arm64, and this machine is x86-64: take an image of its architecture/,
  );
  expect(run(program('/tmp/damaged', elf => elf.writeUInt16LE(0, 54)))).toMatch(
    /ENOEXEC: .*for this machine, and damaged/,
  );
});

test('arguments that are too long, one or all', () => {
  expect(run('/bin/true', ['x'.repeat(200_000)])).toBe(
    'E2BIG: one argument or environment variable has 200001 bytes, and the most is 131072',
  );
  expect(run('/bin/true', ['true'], Array<string>(100).fill('y'.repeat(100_000)))).toMatch(
    /E2BIG: arguments and environment take 100009\d\d bytes, .*stack/,
  );
});

test('a program that is still being written, and who writes it', () => {
  copyFileSync('/bin/true', '/tmp/written');
  const fd = openSync('/tmp/written', 'r+');
  expect(run('/tmp/written')).toMatch(
    new RegExp(`ETXTBSY: somebody still has /tmp/written open for writing: .*pid ${process.pid}`),
  );
  closeSync(fd);
});

test('scripts that interpret scripts', () => {
  file('/tmp/0', '#!/bin/sh\n');
  for (let depth = 1; depth < 8; depth++) file(`/tmp/${depth}`, `#!/tmp/${depth - 1}\n`);
  expect(run('/tmp/7')).toMatch(/ELOOP: its interpreter is itself a script/);
  symlinkSync('/tmp/round', '/tmp/round');
  expect(run('/tmp/round')).not.toMatch(/script/);
});
