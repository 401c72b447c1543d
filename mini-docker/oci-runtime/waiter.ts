// What stays of `run` and `exec` in the foreground: a few hundred bytes of machine code in the place of this
// program, under its pid. It passes signals on, waits for the program, removes what is left, and exits as the
// program did.
import { call } from '../linux/call.ts';
import { resetSignals } from '../linux/child.ts';
import { AT, SIG, SIG_BLOCK, W } from '../linux/constants.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../linux/elf.ts';
import { ERRNO } from '../linux/errno.ts';
import { sealedExecutable } from '../linux/memfd.ts';
import { compile, type Item } from '../linux/program.ts';
import { hostArchitecture, mayFail, resultOf } from '../linux/step.ts';
import {
  cloneCall,
  execve,
  execveat,
  kill,
  sigprocmask,
  sigtimedwait,
  unlinkat,
  wait4,
} from '../linux/syscalls.ts';

const MASK_SIZE = 8;
const ALL_SIGNALS = new Uint8Array(MASK_SIZE).fill(0xff);

export interface Remains {
  /** Empty directories to be removed. */
  directories: readonly string[];
  files: readonly string[];
  /** The directory of these files. */
  ownDirectory: string;
  /** A command that removes what is left, should one of the directories not be empty. */
  command: readonly string[];
}

/** @param pid a child of this process */
export function waiterItems(pid: number, remains: Remains | undefined): Item[] {
  // Longer than an int, so that the following bytes are zero when it is read as a word.
  const status = new Uint8Array(16);
  const reaped = mayFail(wait4(-1, status, W.NOHANG, null));
  const signal = mayFail(sigtimedwait(ALL_SIGNALS, null, null, MASK_SIZE));
  const exitCode = { wordIn: status, at: 1 };
  return [
    // It may have ended before this program began.
    { control: 'label', name: 'reap' },
    reaped,
    { control: 'when', result: resultOf(reaped), is: 'equal', value: pid, to: 'ended' },
    { control: 'when', result: resultOf(reaped), is: 'equal', value: -ERRNO.ECHILD, to: 'ended' },
    { control: 'when', result: resultOf(reaped), is: 'different', value: 0, to: 'reap' },
    { control: 'label', name: 'wait' },
    signal,
    { control: 'when', result: resultOf(signal), is: 'equal', value: SIG.CHLD, to: 'reap' },
    mayFail(kill(pid, resultOf(signal))),
    { control: 'jump', to: 'wait' },

    { control: 'label', name: 'ended' },
    ...(remains === undefined ? [] : remove(remains)),
    // wait(2): the exit code is in the second byte, or the signal in the lowest seven bits
    { control: 'when', result: { wordIn: status, at: 0 }, is: 'equal', value: 0, to: 'exited' },
    { control: 'when', result: exitCode, is: 'different', value: 0, to: 'exited' },
    { control: 'exit', status: { wordIn: status, at: 0 }, mask: 0x7f, plus: 128 },
    { control: 'label', name: 'exited' },
    { control: 'exit', status: exitCode },
  ];
}

function remove({ directories, files, ownDirectory, command }: Remains): Item[] {
  const child = cloneCall(SIG.CHLD, 0, null, 0, 0);
  const [program = ''] = command;
  return [
    ...directories.flatMap((directory): Item[] => {
      const removed = mayFail(unlinkat(AT.FDCWD, directory, AT.REMOVEDIR));
      return [
        removed,
        { control: 'when', result: resultOf(removed), is: 'equal', value: -ERRNO.EBUSY, to: 'left' },
        { control: 'when', result: resultOf(removed), is: 'equal', value: -ERRNO.ENOTEMPTY, to: 'left' },
      ];
    }),
    ...files.map(file => mayFail(unlinkat(AT.FDCWD, file, 0))),
    mayFail(unlinkat(AT.FDCWD, ownDirectory, AT.REMOVEDIR)),
    { control: 'jump', to: 'removed' },
    { control: 'label', name: 'left' },
    { control: 'fork', step: child, parent: 'wait for removal' },
    ...resetSignals(),
    mayFail(
      execve(
        program,
        command,
        Object.entries(process.env).map(entry => entry.join('=')),
      ),
    ),
    { control: 'exit', status: 1 },
    { control: 'label', name: 'wait for removal' },
    mayFail(wait4(resultOf(child), null, 0, null)),
    { control: 'label', name: 'removed' },
  ];
}

/** Does not return. */
export function becomeWaiter(pid: number, remains?: Remains): never {
  const architecture = hostArchitecture();
  const { code, data } = compile(waiterItems(pid, remains), {
    architecture,
    dataAddress: ELF_DATA_ADDRESS,
  });
  const image = sealedExecutable('mini-docker-waiter', encodeElf({ architecture, code, data }));
  // Its listeners would not run otherwise: to the kernel, this process goes on.
  process.emit('exit', 0);
  call(sigprocmask(SIG_BLOCK, ALL_SIGNALS, null, MASK_SIZE));
  call(execveat(image, '', ['mini-docker-waiter'], [], AT.EMPTY_PATH));
  throw new Error('execveat returned');
}
