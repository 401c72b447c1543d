import type { Mutant } from '../../course/mutant.ts';

export const mutants: Mutant[] = [
  {
    name: 'no session',
    task: 'on-a-pty',
    breaks: 'is-a-terminal',
    file: 'on-a-pty.ts',
    belief: 'a terminal is a descriptor',
    replace: '  setsid(),\n',
    by: '',
  },
  {
    name: 'controls nothing',
    task: 'on-a-pty',
    breaks: 'ctrl-c',
    file: 'on-a-pty.ts',
    belief: 'who reads from a terminal is controlled by it',
    replace: '  ioctl(slave, IOCTL.TIOCSCTTY, 0),\n',
    by: '',
  },
  {
    name: 'errors go elsewhere',
    task: 'on-a-pty',
    breaks: 'is-a-terminal',
    file: 'on-a-pty.ts',
    belief: 'stdin and stdout are all',
    replace: '  dup3(slave, 2, 0),\n',
    by: '',
  },
  {
    name: 'columns and rows',
    task: 'on-a-pty',
    breaks: 'size',
    file: 'on-a-pty.ts',
    belief: 'width comes first',
    replace: 'const [rows = 24, columns = 80]',
    by: 'const [columns = 80, rows = 24]',
  },
];
