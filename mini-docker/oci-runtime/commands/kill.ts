import { constants } from 'node:os';
import { ExpectedError } from '../../formats/errors.ts';
import { HeldProcess } from '../../linux/held-process.ts';
import { openProcess } from '../../linux/proc/identity.ts';
import { openCgroup } from '../../runtime/cgroups/create.ts';
import { type Command, flag, toggle } from '../command.ts';
import { readState, statusOf } from '../container-state.ts';
import { processesOf } from '../processes.ts';

export const command: Command = {
  args: '<container-id> [signal]',
  summary: "sends the specified signal (default: SIGTERM) to the container's init process",
  options: {
    all: toggle('send the signal to all processes inside the container', 'a'),
  },
  run(invocation) {
    const { root } = invocation.globals;
    const [id, name = 'TERM'] = invocation.args;
    const state = readState(root, id!);
    const signal = signalNumber(name);
    if (flag(invocation, 'all')) {
      for (const pid of processesOf(state)) send(pid, signal);
      return 0;
    }
    const status = statusOf(root, state);
    const pidfd = status === 'stopped' ? undefined : state.process && openProcess(state.process);
    if (pidfd === undefined) throw new ExpectedError('conflict', 'container not running');
    const held = new HeldProcess(pidfd);
    // As the first of its pid namespace it ignores what it does not handle, and before its program runs that is
    // everything. pid_namespaces(7)
    held.signal(status === 'created' && !HARMLESS.has(signal) ? constants.signals.SIGKILL : signal);
    held.letGo();
    // With version 1 a frozen process does not even die of SIGKILL.
    if (status === 'paused' && signal === constants.signals.SIGKILL)
      void openCgroup(state.spec.linux.cgroupsPath)?.thaw();
  },
};

/** Signals that end no process by default, and 0, which only asks whether there is one. signal(7) */
const HARMLESS: ReadonlySet<number> = new Set(
  (['SIGCHLD', 'SIGCONT', 'SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGWINCH'] as const)
    .map((name): number => constants.signals[name])
    .concat(0),
);

function send(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const REAL_TIME_FIRST = 34;
const REAL_TIME_LAST = 64;

/** 'KILL', 'sigkill', '9', 'RTMIN+3' */
function signalNumber(given: string): number {
  const name = given.toUpperCase().replace(/^SIG/, '');
  const real = /^(?:RTMIN\+?(\d*)|RTMAX-?(\d*))$/.exec(name);
  const number = /^\d+$/.test(name)
    ? Number(name)
    : real
      ? name.startsWith('RTMIN')
        ? REAL_TIME_FIRST + Number(real[1])
        : REAL_TIME_LAST - Number(real[2])
      : constants.signals[`SIG${name}` as NodeJS.Signals];
  if (number === undefined || number < 0 || number > REAL_TIME_LAST)
    throw new ExpectedError('badParameter', `unknown signal "${given}"`);
  return number;
}
