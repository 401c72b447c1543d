// The checks that find what tests have left find processes of any name.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { leftBehind, networkOf } from '../support/leaks.ts';
import { leftProcesses, MARKER } from './leftovers.ts';

const directory = mkdtempSync(join(tmpdir(), 'leftovers-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a program of no special name, with an environment of nothing but `variables`. */
async function stray(command: string[], variables: Record<string, string> = {}, output?: number) {
  const [program = '', ...args] = [...command, 'sh', '-c', 'echo; exec sleep 1000'];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', output ?? 'ignore'],
    env: { PATH: process.env.PATH, ...variables },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child as ChildProcess & { pid: number };
}

test('a process is found by the environment that it inherited, or by its files', async () => {
  const marked = await stray([], { [MARKER]: 'some-run' });
  const file = openSync(join(directory, 'log'), 'w');
  const writing = await stray([], {}, file);
  closeSync(file);
  const other = await stray([]);
  const found = leftProcesses('some-run', directory).map(({ pid }) => pid);
  expect(found).toEqual(expect.arrayContaining([marked.pid, writing.pid]));
  expect(found).not.toContain(other.pid);
});

test('a process in the network of a daemon is found, and ended', async () => {
  const left = await stray(['unshare', '-n']);
  const lines = await leftBehind({ directory, ids: [], network: networkOf(left.pid) });
  expect(lines).toEqual([expect.stringMatching(`process ${left.pid} .* in the network of the daemon`)]);
});
