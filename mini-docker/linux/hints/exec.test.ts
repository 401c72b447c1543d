import { chmodSync, closeSync, copyFileSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { enterOwnMounts, shell } from '../../../test/support/own-mounts.ts';
import { hintBelow, hintOf } from '../../../test/support/provoke.ts';
import { call } from '../call.ts';
import { AT } from '../constants.ts';
import { ERRNO } from '../errno.ts';
import { hintFor } from '../hints.ts';
import { execve, execveat } from '../syscalls.ts';

beforeAll(enterOwnMounts);

/** The execve must fail: a successful one would replace the test. */
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
  expect(run('/srv/nothing')).toBe('ENOENT: /srv/nothing does not exist');
  expect(run(file('/srv/script', '#! /usr/bin/fish3 -x\n'))).toBe(
    'ENOENT: /srv/script is there, and /usr/bin/fish3, the interpreter that it names, is not',
  );
  expect(run(file('/srv/crlf', '#!/bin/sh\r\necho\r\n'))).toMatch(
    /ENOENT: .*ends like one of Windows.*write it with LF/,
  );
  const foreign = program('/srv/foreign', elf => elf.write('x', elf.indexOf('/lib64/ld-linux') + 1));
  expect(run(foreign)).toMatch(
    /ENOENT: \/srv\/foreign is there, and \/xib64\/ld-linux-x86-64.so.2, the interpreter/,
  );
  const fd = openSync('/srv', 'r');
  expect(hintOf(() => call(execveat(fd, 'script', ['x'], [], 0)))).toMatch(/ENOENT: \/srv\/script is there/);
  expect(hintOf(() => call(execveat(AT.FDCWD, '/srv/script', ['x'], [], 0)))).toMatch(
    /ENOENT: \/srv\/script is there/,
  );
  closeSync(fd);
});

test('of a child that is gone both reasons are told', () => {
  expect(hintFor(execve('/srv/script', [], []), ERRNO.ENOENT!, { gone: true })).toMatch(
    /does not exist, or the interpreter/,
  );
});

test('four reasons for EACCES', () => {
  expect(run('/srv')).toBe('EACCES: /srv is a directory');
  expect(run(file('/srv/data', '#!/bin/sh\n', 0o644))).toBe(
    'EACCES: /srv/data has no permission to execute: chmod +x',
  );
  shell('mkdir /srv/noexec; mount -t tmpfs -o noexec x /srv/noexec');
  expect(run(file('/srv/noexec/script', '#!/bin/sh\n'))).toBe(
    'EACCES: /srv/noexec/script is on /srv/noexec, which is mounted noexec',
  );
  expect(run(file('/srv/of-data', '#!/srv/data\n'))).toBe(
    'EACCES: /srv/of-data can be executed, and /srv/data, the interpreter that it names, cannot',
  );
});

test('a directory that the user may not enter', () => {
  mkdirSync('/srv/closed', { mode: 0o700 });
  copyFileSync('/bin/true', '/srv/closed/true');
  chmodSync('/srv', 0o755);
  const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
  expect(hintBelow(nobody, "call(execve('/srv/closed/true', ['true'], []))")).toBe(
    'EACCES: this user may not go through the directory /srv/closed',
  );
});

test('what has no form that the kernel knows', () => {
  expect(run(file('/srv/empty', ''))).toBe('ENOEXEC: /srv/empty is empty');
  expect(run(file('/srv/text', 'echo hello\n'))).toMatch(
    /ENOEXEC: \/srv\/text is text without a first line.*#!\/bin\/sh/,
  );
  expect(run(file('/srv/noise', Buffer.alloc(100, 0xee)))).toMatch(/ENOEXEC: .*no program in a form/);
  const other = process.arch === 'x64' ? 183 : 62;
  expect(run(program('/srv/other', elf => elf.writeUInt16LE(other, 18)))).toMatch(
    /ENOEXEC: \/srv\/other is a program for arm64, and this machine is x86-64: take an image of its architecture/,
  );
  expect(run(program('/srv/damaged', elf => elf.writeUInt16LE(0, 54)))).toMatch(
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

test('a program that is still being written, and its writer', () => {
  copyFileSync('/bin/true', '/srv/written');
  const fd = openSync('/srv/written', 'r+');
  expect(run('/srv/written')).toMatch(
    new RegExp(`ETXTBSY: /srv/written is still open for writing: .*pid ${process.pid}`),
  );
  closeSync(fd);
});

test('scripts that interpret scripts', () => {
  file('/srv/0', '#!/bin/sh\n');
  for (let depth = 1; depth < 8; depth++) file(`/srv/${depth}`, `#!/srv/${depth - 1}\n`);
  expect(run('/srv/7')).toMatch(/ELOOP: its interpreter is itself a script/);
  symlinkSync('/srv/round', '/srv/round');
  expect(run('/srv/round')).not.toMatch(/script/);
});
