import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hold } from '../../../test/support/held-process.ts';
import { CLOCK_TICK, decodeStat, readStat } from './stat.ts';

test('a program that names itself with spaces, parentheses and a newline cannot forge its numbers', async () => {
  const name = ') R 1 (x\n) Z 2';
  await using held = await hold({
    script: `printf '${name}' > /proc/self/comm; printf '${name}' > /proc/$$/comm`,
  });
  const stat = readStat(held.pid)!;
  expect(stat).toMatchObject({
    pid: held.pid,
    comm: name,
    state: expect.stringMatching(/^[RS]$/),
    ppid: process.pid,
  });
});

test('the start is told in clock ticks since boot', async () => {
  const uptime = Number.parseFloat(readFileSync('/proc/uptime', 'utf8'));
  await using held = await hold();
  const started = readStat(held.pid)!.startTime * CLOCK_TICK;
  expect(started).toBeGreaterThan(uptime - 0.1);
  expect(started).toBeLessThan(uptime + 10);
});

test('a recorded line', () => {
  const line =
    '70 (kworker/u8:1-ev) I 2 0 0 0 -1 69238880 0 0 0 0 12 34 0 0 20 0 1 0 46 0 0 18446744073709551615 0 0 0 0 0 0 0 2147483647 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n';
  expect(decodeStat(line)).toEqual({
    pid: 70,
    comm: 'kworker/u8:1-ev',
    state: 'I',
    ppid: 2,
    processGroup: 0,
    session: 0,
    tty: 0,
    userTime: 12,
    systemTime: 34,
    threads: 1,
    startTime: 46,
    residentPages: 0,
  });
  expect(() => decodeStat('70 (x) S 1')).toThrow(/stat/);
});
