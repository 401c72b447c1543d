import { closeSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { expect, test } from 'vitest';
import { call } from './call.ts';
import { Launch, resetSignals, startChild } from './child.ts';
import { CLONE, F, MS, SIG, W } from './constants.ts';
import { reap, watchExit } from './exits.ts';
import { pipe } from './pipes.ts';
import { compile, type Item } from './program.ts';
import { addressOfResult, because, mayFail, resultOf } from './step.ts';
import { encodeFilterProgram } from './structures.ts';
import type { SyscallError } from './syscall-error.ts';
import {
  clockGettime,
  cloneCall,
  close,
  dup3,
  execve,
  exitGroup,
  fcntl,
  getpid,
  getppid,
  mountCall,
  openat,
  pidfdOpen,
  prctlName,
  read,
  seccomp,
  sethostname,
  wait4,
  write,
} from './syscalls.ts';

async function statusOf(items: Item[], flags = 0) {
  const child = startChild(items, { flags });
  await child.executed;
  await watchExit(child.pidfd);
  const status = reap(child.pidfd);
  closeSync(child.pidfd);
  return { status, results: child.results };
}

function outputOf(command: string, items: Item[] = [], flags = 0): string {
  const { readEnd, writeEnd } = pipe();
  const child = startChild(
    [
      dup3(writeEnd, 1, 0),
      ...items,
      ...resetSignals(),
      execve('/bin/sh', ['sh', '-c', command], ['PATH=/bin:/usr/bin']),
    ],
    { flags },
  );
  call(close(writeEnd));
  const chunks: Buffer[] = [];
  const buffer = Buffer.alloc(4096);
  for (let size = readSync(readEnd, buffer); size > 0; size = readSync(readEnd, buffer)) {
    chunks.push(Buffer.from(buffer.subarray(0, size)));
  }
  closeSync(readEnd);
  call(wait4(child.pid, null, 0, null));
  closeSync(child.pidfd);
  return Buffer.concat(chunks).toString();
}

test('a child program runs a program in namespaces of its own', () => {
  const output = outputOf(
    'echo $$; hostname; readlink /proc/self/ns/uts',
    [sethostname('inside')],
    CLONE.NEWPID | CLONE.NEWUTS,
  );
  const [pid, hostname, namespace] = output.split('\n');
  expect([pid, hostname]).toEqual(['1', 'inside']);
  expect(namespace).not.toBe(readlinkSync('/proc/self/ns/uts'));
});

test('a program that is spawned inherits no descriptor above those lent to it, and ours stay', () => {
  const { readEnd, writeEnd } = pipe({ cloexec: false });
  const [low, high] = [300, 301].map(number => call(fcntl(readEnd, F.DUPFD, number)));
  using launch = new Launch(
    [
      dup3(writeEnd, 1, 0),
      ...resetSignals(),
      execve('/bin/sh', ['sh', '-c', 'echo /proc/$$/fd/*'], ['PATH=/bin']),
    ],
    [writeEnd, low!],
  );
  const { pid, pidfd } = launch.start({ doing: 'cannot list descriptors' });
  call(wait4(pid, null, 0, null));
  const seen = Buffer.alloc(4096);
  const numbers = [...seen.toString('utf8', 0, readSync(readEnd, seen)).matchAll(/fd\/(\d+)/g)].map(
    ([, number]) => Number(number),
  );
  expect(numbers).toContain(low);
  expect(numbers.filter(number => number > low!)).toEqual([]);
  for (const fd of [pidfd, low!, high!, readEnd, writeEnd]) closeSync(fd);
});

test('a program that cannot be spawned is an error, and leaves no process and no descriptor', () => {
  using launch = new Launch([execve('/does/not/exist', ['none'], [])], []);
  const before = readdirSync('/proc/self/fd');
  expect(() => launch.start({ doing: 'cannot start web' })).toThrow(
    /^cannot start web: execve\("\/does\/not\/exist".*ENOENT/,
  );
  expect(readdirSync('/proc/self/fd')).toEqual(before);
  expect(() => call(wait4(-1, null, W.NOHANG, null))).toThrow(expect.objectContaining({ code: 'ECHILD' }));
});

test('a launch is made again, with other names, and says what fails with them', () => {
  const { readEnd, writeEnd } = pipe();
  const steps = [dup3(writeEnd, 1, 0), ...resetSignals(), execve('/bin/echo', ['echo', 'first'], [])];
  using launch = new Launch(steps, [writeEnd]);
  using failing = new Launch([execve('/none/first', ['none'], [])], []);
  const seen = Buffer.alloc(64);
  for (const name of ['first', 'other', 'third']) {
    const names = [['first', name]] as const;
    const { pid, pidfd } = launch.start({ doing: 'cannot echo', names });
    call(wait4(pid, null, 0, null));
    closeSync(pidfd);
    expect(seen.toString('utf8', 0, readSync(readEnd, seen))).toBe(`${name}\n`);
    expect(() => failing.start({ doing: 'cannot start', names })).toThrow(`execve("/none/${name}"`);
  }
  for (const fd of [readEnd, writeEnd]) closeSync(fd);
});

test('the step that fails is named with its place, errno and reason, and nothing after it runs', async () => {
  const after = sethostname('never');
  const child = startChild(
    [getpid(), because('to show it', mountCall('none', '/does/not/exist', 'tmpfs', MS.NOSUID, null)), after],
    { flags: CLONE.NEWNS | CLONE.NEWUTS, doing: 'cannot start web' },
  );
  const error: SyscallError = await child.executed.then(
    () => expect.unreachable(),
    caught => caught,
  );
  expect(error).toMatchObject({ name: 'SyscallError', syscall: 'mount', errno: 2, code: 'ENOENT', step: 2 });
  expect(error.message).toMatch(
    /^cannot start web: to show it: mount\("none", "\/does\/not\/exist", "tmpfs", MS_NOSUID, NULL\): ENOENT/,
  );
  expect(child.results.of(after)).toBe(0);
  await watchExit(child.pidfd);
  expect(reap(child.pidfd)).toEqual({ code: 125 });
  closeSync(child.pidfd);
});

test("a step's result is another's argument", async () => {
  const opened = openat(-100, '/proc/self/comm', 0, 0);
  const name = Buffer.alloc(16);
  const { results } = await statusOf([prctlName(15, 'chapter'), opened, read(resultOf(opened), name)]);
  expect(results.buffer(name).toString().startsWith('chapter\n')).toBe(true);
});

test('a step may fail with the errnos that it names, and no other', async () => {
  const missing = openat(-100, '/does/not/exist', 0, 0);
  const tolerated = await statusOf([mayFail(missing, 'EACCES', 'ENOENT'), exitGroup(7)]);
  expect(tolerated.status).toEqual({ code: 7 });
  expect(tolerated.results.of(missing)).toBe(-2);
  const child = startChild([mayFail(missing, 'EACCES'), exitGroup(7)]);
  await expect(child.executed).rejects.toMatchObject({ code: 'ENOENT' });
  await watchExit(child.pidfd);
  expect(reap(child.pidfd)).toEqual({ code: 125 });
  closeSync(child.pidfd);
});

test('a read that meets the end of its pipe is a failure where a byte is expected', async () => {
  const { readEnd, writeEnd } = pipe();
  const child = startChild([close(writeEnd), { ...read(readEnd, Buffer.alloc(1)), expect: 1 }, exitGroup(0)]);
  closeSync(writeEnd);
  await expect(child.executed).rejects.toMatchObject({ syscall: 'read', errno: 0 });
  await watchExit(child.pidfd);
  reap(child.pidfd);
  closeSync(child.pidfd);
  closeSync(readEnd);
});

test('child and parent talk through pipes while the child is stopped between two steps', async () => {
  const go = pipe();
  const told = pipe();
  const child = startChild([
    write(told.writeEnd, Buffer.from('here')),
    { ...read(go.readEnd, Buffer.alloc(1)), expect: 1 },
    exitGroup(3),
  ]);
  const heard = Buffer.alloc(4);
  readSync(told.readEnd, heard);
  expect(heard.toString()).toBe('here');
  await expect.poll(() => readFileSync(`/proc/${child.pid}/stat`, 'utf8')).toMatch(/\) S /);
  call(write(go.writeEnd, Buffer.from('!')));
  await watchExit(child.pidfd);
  expect(reap(child.pidfd)).toEqual({ code: 3 });
  for (const fd of [go.readEnd, go.writeEnd, told.readEnd, told.writeEnd, child.pidfd]) closeSync(fd);
});

test('the fork step goes on in a new process, whose pid the first one knows', async () => {
  const inner = cloneCall(SIG.CHLD | CLONE.PARENT, 0, null, 0, 0);
  const parent = getppid();
  const { results, status } = await statusOf([
    { control: 'fork', step: inner, parent: 'first' },
    parent,
    exitGroup(9),
    { control: 'label', name: 'first' },
    exitGroup(4),
  ]);
  expect(status).toEqual({ code: 4 });
  const pid = results.of(inner);
  expect(pid).toBeGreaterThan(1);
  // CLONE_PARENT: it is our child as well, and ours to wait for.
  const pidfd = call(pidfdOpen(pid, 0));
  await watchExit(pidfd);
  expect(reap(pidfd)).toEqual({ code: 9 });
  closeSync(pidfd);
});

test('control follows results: when, jump, exit with a mask', async () => {
  const pid = getpid();
  const word = Buffer.alloc(16);
  word.writeUInt32LE(0x8b);
  const { status } = await statusOf([
    pid,
    { control: 'when', result: resultOf(pid), is: 'equal', value: 0, to: 'wrong' },
    { control: 'when', result: resultOf(pid), is: 'different', value: resultOf(pid), to: 'wrong' },
    { control: 'jump', to: 'right' },
    { control: 'label', name: 'wrong' },
    { control: 'exit', status: 1 },
    { control: 'label', name: 'right' },
    // Places the buffer; the clock is not what matters.
    mayFail(write(-1, word)),
    { control: 'exit', status: { wordIn: word, at: 0 }, mask: 0x7f, plus: 128 },
  ]);
  expect(status).toEqual({ code: 139 });
});

test('a call can be given the address of a result', async () => {
  const pid = getpid();
  const { readEnd, writeEnd } = pipe();
  const child = startChild([
    pid,
    { ...write(writeEnd, Buffer.alloc(8)) },
    { ...clockGettime(1, addressOfResult(pid)) },
  ]);
  await child.executed;
  await watchExit(child.pidfd);
  expect(child.results.of(pid)).not.toBe(child.pid); // overwritten by the time's seconds
  reap(child.pidfd);
  for (const fd of [readEnd, writeEnd, child.pidfd]) closeSync(fd);
});

test('a structure points to its buffer also where memory had to grow for that', () => {
  const filler = new Uint8Array(16_000).fill(1);
  const instructions = Buffer.alloc(1024, 7);
  const items = [write(1, filler), seccomp(1, 0, encodeFilterProgram(instructions))];
  const { data } = compile(items, { architecture: 'x64', dataAddress: 0x10_0000 });
  const found = data.indexOf(instructions);
  const pointer = Buffer.alloc(8);
  pointer.writeBigUInt64LE(BigInt(0x10_0000 + found));
  expect(data.includes(pointer)).toBe(true);
});

test('the program starts with no signal blocked, and SIGPIPE as a shell would leave it', () => {
  const status = outputOf('cat /proc/self/status');
  const mask = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s+(\\w+)`, 'm').exec(status)?.[1]}`);
  expect(mask('SigBlk')).toBe(0n);
  expect(mask('SigIgn') & (1n << BigInt(SIG.PIPE - 1))).toBe(0n);
});

test('no memory of the process is writable and executable at once while a child program runs', async () => {
  const { readEnd, writeEnd } = pipe();
  const child = startChild([{ ...read(readEnd, Buffer.alloc(1)), expect: 1 }, exitGroup(0)]);
  const maps = readFileSync(`/proc/${child.pid}/maps`, 'utf8').split('\n');
  expect(maps.filter(line => / r-xp /.test(line)).length).toBeGreaterThan(0);
  // V8's own code space is the JavaScript engine's business; anonymous mappings outside of it are ours.
  const ours = maps.filter(line => / rwx/.test(line) && /00000000 00:00 0\s*$/.test(line));
  expect(ours.filter(line => size(line) <= 64 * 1024)).toEqual([]);
  call(write(writeEnd, Buffer.from('!')));
  await watchExit(child.pidfd);
  reap(child.pidfd);
  for (const fd of [readEnd, writeEnd, child.pidfd]) closeSync(fd);
});

function size(line: string): number {
  const [from, to] = line
    .split(' ')[0]!
    .split('-')
    .map(address => Number.parseInt(address, 16)) as [number, number];
  return to - from;
}

test('many children one after another, under garbage collection, all end as they should', async () => {
  const statuses = new Map<number, number>();
  for (let round = 0; round < 300; round++) {
    const { status } = await statusOf([getpid(), exitGroup(round % 250)], CLONE.NEWPID | CLONE.NEWNS);
    expect(status).toEqual({ code: round % 250 });
    statuses.set(round, Buffer.alloc(100_000).length);
  }
});

test('a traced program tells how long each step took', async () => {
  const child = startChild([getpid(), sethostname('x'), exitGroup(0)], { flags: CLONE.NEWUTS, trace: true });
  await child.executed;
  const times = child.results.microseconds();
  expect(times.slice(0, 2).every(time => time !== undefined && time >= 0 && time < 1e6)).toBe(true);
  expect(times[2]).toBeUndefined(); // it did not come back from exit_group
  await watchExit(child.pidfd);
  reap(child.pidfd);
  closeSync(child.pidfd);
});

test('in a traced program that forks, no step takes less than no time', async () => {
  const inner = cloneCall(SIG.CHLD | CLONE.PARENT | CLONE.VM, 0, null, 0, 0);
  const child = startChild(
    [
      { control: 'fork', step: inner, parent: 'first' },
      getppid(),
      exitGroup(0),
      { control: 'label', name: 'first' },
      getpid(),
      exitGroup(0),
    ],
    { trace: true },
  );
  await child.executed;
  for (const pidfd of [child.pidfd, call(pidfdOpen(child.results.of(inner), 0))]) {
    await watchExit(pidfd);
    reap(pidfd);
    closeSync(pidfd);
  }
  const times = child.results.microseconds();
  expect(times.filter(time => time !== undefined && time < 0)).toEqual([]);
  expect(times.filter(time => time !== undefined).length).toBeGreaterThan(1);
});

test('a clone that the kernel refuses is an error at once, with its flags by name', () => {
  // New IPC and sharing System V semaphores exclude each other; so do a new mount namespace and a shared cwd.
  expect(() => startChild([exitGroup(0)], { flags: CLONE.NEWNS | CLONE.FS })).toThrow(
    /clone\(CLONE_FS\|CLONE_NEWNS.*EINVAL|clone\(.*CLONE_NEWNS.*EINVAL/,
  );
});
