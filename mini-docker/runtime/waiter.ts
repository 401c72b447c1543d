// The waiter: the program of a monitor once its container runs, the same few hundred bytes of machine code
// for every container. It reaps the container's first process, records its exit, and keeps the ends of its
// streams, so that a later daemon finds the unread output. Only SIGKILL ends it; all other signals are
// blocked.
import { SIG, W } from '../linux/constants.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../linux/elf.ts';
import { compile, type Item } from '../linux/program.ts';
import { type Architecture, mayFail, resultOf } from '../linux/step.ts';
import { clockGettime, close, ppoll, sigtimedwait, wait4, write } from '../linux/syscalls.ts';
import { FD } from './descriptors.ts';

const MASK_SIZE = 8;
const CLOCK_REALTIME = 0;

/**
 * Signal that asks the monitor to close its end of the container's standard input, whose other writer is the
 * daemon.
 */
export const CLOSE_STDIN = SIG.USR1;

/** Size in bytes of the record in the exit file: a struct timespec and the wait status. */
export const EXIT_RECORD_SIZE = 20;

export function waiterItems(): Item[] {
  const signals = new Uint8Array(new BigUint64Array([bit(SIG.CHLD) | bit(CLOSE_STDIN)]).buffer);
  const status = new Uint8Array(4);
  const time = new Uint8Array(16);
  const signal = mayFail(sigtimedwait(signals, null, null, MASK_SIZE));
  const reaped = mayFail(wait4(-1, status, W.NOHANG, null));
  return [
    // The process may have exited before this program began: then its signal is pending, and it is a zombie.
    { control: 'label', name: 'reap' },
    reaped,
    { control: 'when', result: resultOf(reaped), is: 'different', value: 0, to: 'ended' },
    { control: 'label', name: 'wait' },
    signal,
    { control: 'when', result: resultOf(signal), is: 'different', value: CLOSE_STDIN, to: 'reap' },
    mayFail(close(FD.stdinWriter)),
    { control: 'jump', to: 'wait' },

    { control: 'label', name: 'ended' },
    clockGettime(CLOCK_REALTIME, time),
    mayFail(write(FD.exit, time)),
    mayFail(write(FD.exit, status)),
    mayFail(close(FD.stdin)),
    mayFail(close(FD.stdout)),
    mayFail(close(FD.stderr)),
    mayFail(close(FD.ended)),
    // The daemon kills the waiter when it has read all output.
    { control: 'label', name: 'stay' },
    mayFail(ppoll(null, 0, null, null, MASK_SIZE)),
    { control: 'jump', to: 'stay' },
  ];
}

function bit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}

/** The complete program as an ELF executable: the same bytes every time. */
export function waiterImage(architecture: Architecture): Buffer {
  const { code, data } = compile(waiterItems(), { architecture, dataAddress: ELF_DATA_ADDRESS });
  return encodeElf({ architecture, code, data });
}
