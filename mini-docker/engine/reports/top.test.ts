import { expect, test } from 'vitest';
import { processTable } from './top.ts';

const titles = async (args: string): Promise<string> =>
  (await processTable([process.pid], args)).Titles.join(' ');

test.each([
  ['-ef', 'UID PID PPID C STIME TTY TIME CMD'],
  ['aux', 'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'],
  ['-o pid,comm', 'PID COMMAND'],
  ['-opid,comm', 'PID COMMAND'],
  ['-eo pid,cmd', 'PID CMD'],
  ['-e -o pid -o user', 'PID USER'],
  ['axo pid,args', 'PID COMMAND'],
  ['o pid', 'PID'],
  ['--format=pid', 'PID'],
  ['--format pid=ID', 'ID'],
])('ps %s has the columns %s', async (args, expected) => {
  expect(await titles(args)).toBe(expected);
});

test('a column that is none is named, as ps does', async () => {
  await expect(titles('-foo')).rejects.toThrow('ps: error: unknown user-defined format specifier "o"');
  await expect(titles('-eo pid,nope')).rejects.toThrow('specifier "nope"');
});
