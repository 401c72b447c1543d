// A process 1 that does its duties, so that the program it starts need not know of them. It is a program of its own,
// of some thousand bytes: a list of system calls as always, but with jumps.
import {
  AT,
  because,
  cloneCall,
  executable,
  execveat,
  type Item,
  kill,
  mayFail,
  PR,
  prctlName,
  resetSignals,
  resultOf,
  SIG,
  SIG_SETMASK,
  type Step,
  sigprocmask,
  sigtimedwait,
  W,
  wait4,
  writeText,
} from '#linux';
import { program } from '../01-process/program.ts';

const SET_SIZE = 8;
/** A set of signals is 64 bits. */
const ALL = Buffer.alloc(SET_SIZE, 0xff);

/** Turns the process into init. It has to be the last step of the list. */
export function becomeInit(command: readonly string[], env?: NodeJS.ProcessEnv): Step {
  const file = executable('init', initProgram(command, env));
  return because('process 1 must reap orphans', execveat(file, '', ['init'], [], AT.EMPTY_PATH));
}

function initProgram(command: readonly string[], env?: NodeJS.ProcessEnv): Item[] {
  const child = cloneCall(SIG.CHLD, 0, null, 0, 0);
  const status = Buffer.alloc(16);
  const reaped = mayFail(wait4(-1, status, W.NOHANG, null));
  const signal = mayFail(sigtimedwait(ALL, null, null, SET_SIZE));
  return [
    prctlName(PR.SET_NAME, 'init'),
    // The kernel keeps a blocked signal, even for process 1, until the process asks for it.
    sigprocmask(SIG_SETMASK, ALL, null, SET_SIZE),
    { control: 'fork', step: child, parent: 'reap' },
    ...startProgram(command, env),

    { control: 'label', name: 'reap' },
    reaped,
    { control: 'when', result: resultOf(reaped), is: 'equal', value: resultOf(child), to: 'ended' },
    // An orphan's pid: there may be more zombies. 0: all remaining children are alive.
    { control: 'when', result: resultOf(reaped), is: 'different', value: 0, to: 'reap' },

    { control: 'label', name: 'wait' },
    signal,
    { control: 'when', result: resultOf(signal), is: 'equal', value: SIG.CHLD, to: 'reap' },
    mayFail(kill(resultOf(child), resultOf(signal))),
    { control: 'jump', to: 'wait' },

    { control: 'label', name: 'ended' },
    ...exitAs(status),
  ];
}

function startProgram(command: readonly string[], env?: NodeJS.ProcessEnv): Item[] {
  // The last item of program() reports a failure to the parent. Here no parent listens, so it is left out.
  const attempts = program(command, env).slice(0, -1);
  return [
    ...resetSignals(),
    ...attempts,
    writeText(2, `init: ${command[0]}: there is no such program\n`),
    { control: 'exit', status: 127 },
  ];
}

/** Ends as the process with this wait status did: exit code in its second byte, or signal in the lowest seven bits. wait(2) */
export function exitAs(status: Uint8Array): Item[] {
  const code = { wordIn: status, at: 1 };
  return [
    { control: 'when', result: { wordIn: status, at: 0 }, is: 'equal', value: 0, to: 'exited' },
    { control: 'when', result: code, is: 'different', value: 0, to: 'exited' },
    { control: 'exit', status: { wordIn: status, at: 0 }, mask: 0x7f, plus: 128 },
    { control: 'label', name: 'exited' },
    { control: 'exit', status: code },
  ];
}
