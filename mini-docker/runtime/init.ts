// --init: a pid 1 that forwards signals and reaps orphans, so that the program need not. It is an ELF image
// with the program's name, arguments and environment in it. The kernel delivers no signal to a pid 1 that has
// no handler for it (pid_namespaces(7)); this one blocks all signals and waits for them with sigtimedwait(2)
// instead.

import type { Process } from '../formats/oci/runtime-spec.ts';
import { resetSignals } from '../linux/child.ts';
import { AT, IOCTL, PR, SIG, W } from '../linux/constants.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../linux/elf.ts';
import { ERRNO } from '../linux/errno.ts';
import { compile, type Item } from '../linux/program.ts';
import { type Architecture, addressOfResult, because, mayFail, resultOf } from '../linux/step.ts';
import {
  cloneCall,
  execveat,
  getpid,
  ioctlBuffer,
  kill,
  prctlName,
  setpgid,
  sigtimedwait,
  wait4,
  writeText,
} from '../linux/syscalls.ts';
import { FD } from './descriptors.ts';
import { attempts } from './execution.ts';

const MASK_SIZE = 8;

export function initItems(process: Process): Item[] {
  const tries = attempts(process);
  const clone = cloneCall(SIG.CHLD, 0, null, 0, 0);
  const own = getpid();
  // Longer than an int, so that the following bytes are zero when it is read as a word.
  const status = new Uint8Array(16);
  const reaped = mayFail(wait4(-1, status, W.NOHANG, null));
  const signal = mayFail(sigtimedwait(new Uint8Array(MASK_SIZE).fill(0xff), null, null, MASK_SIZE));
  const exitCode = { wordIn: status, at: 1 };
  return [
    // Otherwise ps shows the name of the anonymous file that this image was executed from.
    mayFail(prctlName(PR.SET_NAME, 'docker-init')),
    { control: 'fork', step: clone, parent: 'reap' },
    // Its own process group, in the foreground: Ctrl-C goes to the program directly, and not a second time
    // through the init.
    own,
    mayFail(setpgid(0, 0)),
    mayFail(ioctlBuffer(0, IOCTL.TIOCSPGRP, addressOfResult(own))),
    ...resetSignals(),
    ...tries,
    mayFail(
      writeText(2, `exec ${process.args[0]} failed: there is no such program, or it cannot be executed\n`),
    ),
    ...tries.map(
      (attempt): Item => ({
        control: 'when',
        result: resultOf(attempt),
        is: 'different',
        value: -ERRNO.ENOENT,
        to: 'cannot execute',
      }),
    ),
    { control: 'exit', status: 127 },
    { control: 'label', name: 'cannot execute' },
    { control: 'exit', status: 126 },

    { control: 'label', name: 'reap' },
    reaped,
    { control: 'when', result: resultOf(reaped), is: 'equal', value: resultOf(clone), to: 'ended' },
    { control: 'when', result: resultOf(reaped), is: 'different', value: 0, to: 'reap' },
    { control: 'label', name: 'wait' },
    signal,
    { control: 'when', result: resultOf(signal), is: 'equal', value: SIG.CHLD, to: 'reap' },
    mayFail(kill(resultOf(clone), resultOf(signal))),
    { control: 'jump', to: 'wait' },

    // Decodes the wait status: the exit code is in the second byte, or the signal in the lowest seven bits.
    // wait(2)
    { control: 'label', name: 'ended' },
    { control: 'when', result: { wordIn: status, at: 0 }, is: 'equal', value: 0, to: 'exited' },
    { control: 'when', result: exitCode, is: 'different', value: 0, to: 'exited' },
    { control: 'exit', status: { wordIn: status, at: 0 }, mask: 0x7f, plus: 128 },
    { control: 'label', name: 'exited' },
    { control: 'exit', status: exitCode },
  ];
}

export function initImage(process: Process, architecture: Architecture): Buffer {
  const { code, data } = compile(initItems(process), { architecture, dataAddress: ELF_DATA_ADDRESS });
  return encodeElf({ architecture, code, data });
}

/**
 * Steps by which the container's first process becomes the init instead of the program. The filter applies to
 * the init, too.
 */
export function executeInit(process: Process, filter: readonly Item[]): Item[] {
  const argv = ['/sbin/docker-init', '--', ...process.args];
  return [
    ...filter,
    because('pid 1 forwards signals and reaps', execveat(FD.init, '', argv, process.env, AT.EMPTY_PATH)),
  ];
}
