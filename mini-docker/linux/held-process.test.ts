import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { call } from './call.ts';
import { SIG } from './constants.ts';
import { Descriptor } from './descriptor.ts';
import { HeldProcess } from './held-process.ts';
import { pidfdOpen } from './syscalls.ts';

test('a released process gets no signal, nor does another that now has the number of its pidfd', async () => {
  const [first, stranger] = [spawn('sleep', ['60']), spawn('sleep', ['60'])];
  const number = call(pidfdOpen(first.pid!, 0));
  const held = new HeldProcess(number);
  held.letGo();
  held.letGo();
  expect(call(pidfdOpen(stranger.pid!, 0)), 'the kernel gives the lowest number').toBe(number);
  expect(held.signal(SIG.KILL)).toBe(false);
  expect(() => held.pidfd).toThrow('has been closed');
  stranger.kill('SIGTERM');
  first.kill('SIGTERM');
  expect(await once(stranger, 'exit')).toEqual([null, 'SIGTERM']);
  closeSync(number);
});

test('a descriptor is closed once, and its owner may change', () => {
  const descriptor = new Descriptor(openSync('/dev/null', 'r'));
  const second = descriptor.duplicate();
  const number = descriptor.release();
  descriptor.close();
  expect(descriptor.isOpen).toBe(false);
  closeSync(number);
  const other = openSync('/dev/null', 'r');
  expect(other).toBe(number);
  descriptor.close();
  closeSync(other);
  second.close();
  expect(() => second.duplicate()).toThrow('has been closed');
});
