// What it means that a signal ended a program, and what helps. signal(7)

import { SIG } from '../../../linux/constants.ts';

interface Meaning {
  meaning: string;
  advice: string;
}

export const MEANINGS: Readonly<Record<number, Meaning>> = {
  [SIG.KILL]: {
    meaning:
      'which no program can refuse; mini-docker was not asked to send it, and the kernel did not run out of memory',
    advice:
      'Look for what sends it: a process in the container, or one on the host (a supervisor, an administrator, systemd-oomd).',
  },
  [SIG.TERM]: {
    meaning: 'a request to end; mini-docker was not asked to send it',
    advice: 'Look for what sends it: a process in the container, or one on the host that knows its pid.',
  },
  [SIG.INT]: {
    meaning: 'the signal that Ctrl-C sends',
    advice: "Start it with '-d', or leave it with the detach keys (Ctrl-P Ctrl-Q), if it shall go on.",
  },
  [SIG.HUP]: {
    meaning: 'the signal that a terminal sends when it is closed',
    advice: "Start it with '-d' if it shall outlive its terminal.",
  },
  [SIG.SEGV]: {
    meaning: 'it accessed memory that it does not have',
    advice:
      "This is a fault of the program, or of a library that does not fit it (musl and glibc mixed, another version). '--ulimit core=-1' lets it leave a core file.",
  },
  [SIG.ILL]: {
    meaning: 'it came to an instruction that this processor does not have',
    advice: 'The program was built for a newer processor, or is damaged: build it for this one.',
  },
  [SIG.BUS]: {
    meaning: 'it touched mapped memory with no file behind it',
    advice:
      "Often /dev/shm is full, 64 MB of it by default: give it more with '--shm-size 256m'. Else a file that it maps was cut short.",
  },
  [SIG.ABRT]: {
    meaning: 'it aborted itself (abort(3)), after a failed assertion or because it got no memory',
    advice: 'Its last lines of output say why: look at its log.',
  },
  [SIG.FPE]: {
    meaning: 'it divided by zero, or made another error in arithmetic',
    advice: 'This is a fault of the program: look at its log.',
  },
  [SIG.PIPE]: {
    meaning: 'it wrote to a pipe or connection that has no reader any more',
    advice: 'Look at what it writes to, and at why that has ended.',
  },
  [SIG.SYS]: {
    meaning: 'the filter of system calls ended it',
    advice:
      "Try it with '--security-opt seccomp=unconfined'; if it runs then, give it a profile that allows the call it makes.",
  },
  [SIG.XCPU]: {
    meaning: 'it had used up the processor time of its limit',
    advice: "Look at its '--ulimit cpu='.",
  },
  [SIG.XFSZ]: {
    meaning: 'it wrote a larger file than its limit allows',
    advice: "Look at its '--ulimit fsize='.",
  },
};

export const OTHER: Meaning = { meaning: 'which it did not handle', advice: 'Look for what sends it.' };
