import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { call } from './call.ts';
import { resetSignals, startChild } from './child.ts';
import { CLONE, IOCTL, MS } from './constants.ts';
import { reap, watchExit } from './exits.ts';
import { takeFd } from './pidfd.ts';
import { pipe } from './pipes.ts';
import { openPty, ptyNumber, ptySteps, resizePty } from './pty.ts';
import { PtyStream } from './pty-stream.ts';
import { resultOf } from './step.ts';
import { close, dup3, execve, fcntl, ioctl, mountCall, pidfdOpen, read, setsid } from './syscalls.ts';

async function textOf(stream: PtyStream): Promise<string> {
  return Buffer.concat(await stream.toArray())
    .toString()
    .replaceAll('\r', '');
}

test('a program on a pty sees a terminal of the size that was asked for, and its hang-up is the end of the stream', async () => {
  const { master, slave, number } = openPty({ rows: 31, columns: 97 });
  const child = spawn('sh', ['-c', 'tty; stty size; seq 20000'], { stdio: [slave, slave, slave] });
  closeSync(slave);
  const stream = new PtyStream(master);
  const lines = (await textOf(stream)).trim().split('\n');
  expect(lines.slice(0, 2)).toEqual([`/dev/pts/${number}`, '31 97']);
  expect(lines.at(-1)).toBe('20000');
  expect(lines.length).toBe(20_002);
  if (child.exitCode === null) await once(child, 'exit');
  if (!stream.closed) await once(stream, 'close');
  expect(stream.errored).toBeNull();
  expect(() => fstatSync(master)).toThrow(/EBADF/);
});

test("what is written to the master is the program's input, and a new size reaches it", async () => {
  const { master, slave } = openPty({ rows: 24, columns: 80 });
  const script = `stty -echo; trap 'stty size; exit 0' WINCH; echo ready
    read -r line; echo "<$line>"; while :; do sleep 0.02; done`;
  const child = spawn('setsid', ['-c', 'sh', '-c', script], { stdio: [slave, slave, slave] });
  closeSync(slave);
  const stream = new PtyStream(master);
  let output = '';
  const ended = once(stream, 'end');
  stream.on('data', chunk => {
    output += chunk;
  });
  const shows = (text: string) => expect.poll(() => output).toContain(text);
  await shows('ready');
  stream.write('hello\n');
  await shows('<hello>');
  resizePty(master, { rows: 40, columns: 120 });
  await shows('40 120');
  await ended;
  if (child.exitCode === null) await once(child, 'exit');
});

test("a pty from a devpts of the child's own is handed out of it, and its program knows its name", async () => {
  const gate = pipe();
  const pty = ptySteps({ size: { rows: 10, columns: 20 } });
  const standard = [0, 1, 2].map(fd => dup3(resultOf(pty.slave), fd, 0));
  const child = startChild(
    [
      mountCall(null, '/', null, MS.REC | MS.PRIVATE, null),
      mountCall('devpts', '/dev/pts', 'devpts', 0, 'newinstance,ptmxmode=0666,mode=0620'),
      ...pty.steps,
      // Its own copy would keep it from seeing the end of the pipe if we died.
      close(gate.writeEnd),
      { ...read(gate.readEnd, Buffer.alloc(1)), expect: 1 },
      setsid(),
      ioctl(resultOf(pty.slave), IOCTL.TIOCSCTTY, 0),
      ...standard,
      ...resetSignals(),
      execve('/bin/sh', ['sh', '-c', 'tty; stty size; exit 3'], ['PATH=/usr/bin:/bin']),
    ],
    { flags: CLONE.NEWNS },
  );
  let master: number | undefined;
  await expect
    .poll(() => {
      master = child.results.of(pty.slave) > 0 ? child.results.of(pty.master) : undefined;
      return master;
    })
    .toBeGreaterThan(2);
  const stream = new PtyStream(takeFd(child.pidfd, master!));
  writeSync(gate.writeEnd, 'g');
  await child.executed;
  expect(await textOf(stream)).toBe('/dev/pts/0\n10 20\n');
  await watchExit(child.pidfd);
  expect(reap(child.pidfd)).toEqual({ code: 3 });
  for (const fd of [gate.readEnd, gate.writeEnd, child.pidfd]) closeSync(fd);
});

test('a descriptor taken from another process is close-on-exec; one that it does not have is EBADF', () => {
  const pidfd = call(pidfdOpen(process.pid, 0));
  const { master, slave } = openPty();
  const taken = takeFd(pidfd, master);
  expect(ptyNumber(taken)).toBe(ptyNumber(master));
  expect(call(fcntl(taken, 1, 0))).toBe(1);
  expect(() => takeFd(pidfd, 99_999)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  expect(() => ptyNumber(slave)).toThrow(expect.objectContaining({ code: 'ENOTTY' }));
  for (const fd of [taken, master, slave, pidfd]) call(close(fd));
});
