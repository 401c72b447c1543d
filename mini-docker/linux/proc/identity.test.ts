import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hold } from '../../../test/support/held-process.ts';
import { openProcess, processIdentity, sameProcess } from './identity.ts';

test('a process is itself until it has ended', async () => {
  const held = await hold();
  const identity = processIdentity(held.pid)!;
  expect(sameProcess(identity)).toBe(true);
  const pidfd = openProcess(identity)!;
  expect(pidfd).toBeGreaterThan(2);
  closeSync(pidfd);
  await held[Symbol.asyncDispose]();
  expect(sameProcess(identity)).toBe(false);
  expect(openProcess(identity)).toBeUndefined();
  expect(processIdentity(held.pid)).toBeUndefined();
});

test('another process with the same pid is another one, and so is one of another boot', async () => {
  // In a pid namespace of its own the next pid can be chosen (pid_namespaces(7)): two processes get the pid 50.
  const script = `
    import { spawn } from 'node:child_process';
    import { once } from 'node:events';
    import { writeFileSync } from 'node:fs';
    import { openProcess, processIdentity, sameProcess } from '${import.meta.dirname}/identity.ts';
    async function fifty() {
      writeFileSync('/proc/sys/kernel/ns_last_pid', '49');
      const child = spawn('sleep', ['60']);
      if (child.pid !== 50) throw new Error('pid ' + child.pid);
      return child;
    }
    const first = await fifty();
    const identity = processIdentity(50);
    first.kill(); await once(first, 'exit');
    await new Promise(resolve => setTimeout(resolve, 30));
    const second = await fifty();
    const answer = [sameProcess(identity), openProcess(identity) === undefined, sameProcess(processIdentity(50)),
      sameProcess({ ...processIdentity(50), bootId: 'an earlier one' })];
    second.kill(); await once(second, 'exit');
    console.log(JSON.stringify(answer));`;
  const arguments_ = [
    '--pid',
    '--fork',
    '--mount-proc',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const child = spawn('unshare', arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = (await child.stdout.toArray()).join('');
  if (child.exitCode === null) await once(child, 'exit');
  expect(JSON.parse(output)).toEqual([false, true, true, false]);
});
