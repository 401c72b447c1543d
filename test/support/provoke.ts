// For tests of hints: makes a system call fail for real, and returns the error's hint.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { SyscallError } from '../../mini-docker/linux/syscall-error.ts';

const linux = join(import.meta.dirname, '../../mini-docker/linux');

/** 'EINVAL: the hint', from the SyscallError that `make` throws. */
export function hintOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof SyscallError) return `${error.code}: ${error.hint ?? '(no hint)'}`;
    throw error;
  }
  throw new Error('the call did not fail');
}

/**
 * The same for code that runs in a separate Node below a wrapper: ['unshare', '-Ur'], ['setpriv', …]. The
 * code can use every system call and constant by its name, `call`, `addressOf`, `fs` and `spawnSync`; its
 * last failing call is reported.
 */
export function hintBelow(wrapper: readonly string[], code: string): string {
  const script = `
    import * as fs from 'node:fs';
    import { call } from '${linux}/call.ts';
    import * as syscalls from '${linux}/syscalls.ts';
    import * as constants from '${linux}/constants.ts';
    import { addressOf } from '${linux}/libc.ts';
    import { spawnSync } from 'node:child_process';
    const run = new Function('call', 'fs', 'addressOf', 'spawnSync', ...Object.keys(syscalls), ...Object.keys(constants), process.argv[1]);
    try {
      run(call, fs, addressOf, spawnSync, ...Object.values(syscalls), ...Object.values(constants));
      console.log('the call did not fail');
    } catch (error) {
      if (error.name !== 'SyscallError') throw error;
      console.log(error.code + ': ' + (error.hint ?? '(no hint)'));
    }`;
  const line = [...wrapper, process.execPath, '--input-type=module', '-e', script, code];
  const { stdout, stderr, error } = spawnSync(line[0]!, line.slice(1), { encoding: 'utf8' });
  if (error) throw error;
  if (stdout === '') throw new Error(`${line.slice(0, wrapper.length).join(' ')}: ${stderr}`);
  return stdout.trim();
}
