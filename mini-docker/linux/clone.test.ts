import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clone, wait } from './clone.ts';
import { AT, CLONE, O } from './constants.ts';
import { resultOf } from './step.ts';
import { dup3, execve, exitGroup, mkdirat, openat } from './syscalls.ts';

const env = ['PATH=/usr/bin:/bin'];
const sh = (script: string) => execve('/bin/sh', ['sh', '-c', script], env);

/** What a program of ours prints that begins with these imports. */
function node(code: string, stdio: 'pipe' | 'inherit' = 'pipe') {
  const imports = `import { clone, wait, execve } from '${import.meta.dirname}/linux.ts';`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', imports + code], {
    encoding: 'utf8',
    stdio: ['pipe', stdio, 'pipe'],
    input: 'hello\n',
  });
}

test('the exit code of a child comes back, and 128 + n of a signal', async () => {
  expect(await wait(clone(0, [exitGroup(7)]))).toBe(7);
  expect(await wait(clone(0, [sh('exit 3')]))).toBe(3);
  expect(await wait(clone(0, [sh('kill -TERM $$')]))).toBe(143);
});

test('a step that fails rejects wait() with its place, and the process is gone', async () => {
  const pid = clone(0, [mkdirat(AT.FDCWD, '/proc/nowhere', 0o755), sh('true')]);
  await expect(wait(pid)).rejects.toMatchObject({ syscall: 'mkdirat', step: 1, code: 'ENOENT' });
  expect(() => readlinkSync(`/proc/${pid}/exe`)).toThrow();
  await expect(wait(pid)).rejects.toThrow(/was waited for/);
});

test('a program gets its streams, and no descriptor of ours', () => {
  const directory = mkdtempSync(join(tmpdir(), 'clone-'));
  try {
    const file = join(directory, 'output');
    const output = openat(AT.FDCWD, file, O.WRONLY | O.CREAT, 0o600);
    const pid = clone(0, [output, dup3(resultOf(output), 1, 0), sh('ls /proc/self/fd')]);
    return wait(pid).then(code => {
      // 3 is the directory that ls reads.
      expect([code, readFileSync(file, 'utf8')]).toEqual([0, '0\n1\n2\n3\n']);
      rmSync(directory, { recursive: true });
    });
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
});

test('stdin and stdout pass through, even if we have printed before', () => {
  const { stdout, stderr, status } = node(`
    console.log('before');
    process.exitCode = await wait(clone(0, [execve('/bin/sh', ['sh', '-c', 'cat; exit 5'], [])]));
    console.log('after');`);
  expect({ stdout, stderr, status }).toEqual({ stdout: 'before\nhello\nafter\n', stderr: '', status: 5 });
});

test('Ctrl-C is for the child: the waiting parent survives', () => {
  const { stdout, status } = node(`
    const script = 'sleep 0.3; kill -INT $PPID; sleep 0.05; echo still here';
    process.exitCode = await wait(clone(0, [execve('/bin/sh', ['sh', '-c', script], ['PATH=/usr/bin:/bin'])]));`);
  expect({ stdout, status }).toEqual({ stdout: 'still here\n', status: 0 });
});

test('namespaces are asked for by flags', async () => {
  expect(await wait(clone(CLONE.NEWPID, [sh('exit $$')]))).toBe(1);
});
