import type { Mutant } from '../../course/mutant.ts';

export const mutants: Mutant[] = [
  {
    name: 'opened but not descriptor 1',
    task: 'redirect',
    breaks: 'output-in-file',
    file: 'redirect.ts',
    belief: 'whoever opens a file writes to it',
    replace: '[output, stdout, ...program(command)]',
    by: '[output, ...program(command)]',
  },
  {
    name: 'dup after execve',
    task: 'redirect',
    breaks: 'output-in-file',
    file: 'redirect.ts',
    belief: 'the list goes on after execve',
    replace: '[output, stdout, ...program(command)]',
    by: '[output, ...program(command), stdout]',
  },
  {
    name: 'not truncated',
    task: 'redirect',
    breaks: 'only-its-output',
    file: 'redirect.ts',
    belief: 'opening a file for writing empties it',
    replace: ' | O.TRUNC',
    by: '',
  },
  {
    name: 'stderr too',
    task: 'redirect',
    breaks: 'errors-stay',
    file: 'redirect.ts',
    belief: 'output is all that a program prints',
    replace: '[output, stdout, ...program(command)]',
    by: '[output, stdout, dup3(resultOf(output), 2, 0), ...program(command)]',
  },
  {
    name: "the parent's pid",
    task: 'pid-file',
    breaks: 'its-own-pid',
    file: 'pid-file.ts',
    belief: 'process.pid is the pid of whoever runs the list',
    replace: '`${pid}\\n`',
    by: '`${process.pid}\\n`',
  },
  {
    name: 'written after it ended',
    task: 'pid-file',
    breaks: 'waits-for-the-parent',
    file: 'pid-file.ts',
    belief: 'the parent may take its time',
    replace: "writeFileSync(file, `${pid}\\n`);\nwriteSync(go.writeEnd, '!');",
    by: "writeSync(go.writeEnd, '!');\nawait new Promise(done => setTimeout(done, 300));\nwriteFileSync(file, `${pid}\\n`);",
  },
  {
    name: 'no word to go',
    task: 'pid-file',
    breaks: 'goes-on',
    file: 'pid-file.ts',
    belief: 'the child goes on when the file is there',
    replace: "writeSync(go.writeEnd, '!');\n",
    by: 'void writeSync;\n',
  },
  {
    name: 'opened by the parent',
    task: 'redirect',
    breaks: 'child-opens',
    file: 'redirect.ts',
    belief: 'whoever opens the file, the child inherits it',
    replace: `const output = openat(AT.FDCWD, file, O.WRONLY | O.CREAT | O.TRUNC | O.CLOEXEC, 0o666);
const stdout = dup3(resultOf(output), 1, 0);

const pid = clone(0, [output, stdout, ...program(command)]);`,
    by: `void [openat, AT, O, resultOf];
const { openSync } = process.getBuiltinModule('node:fs');
const pid = clone(0, [dup3(openSync(file, 'w'), 1, 0), ...program(command)]);`,
  },
  {
    name: 'opened by the parent, both ways',
    task: 'redirect',
    breaks: 'child-opens',
    file: 'redirect.ts',
    belief: 'whoever opens the file, the child inherits it',
    replace: `const output = openat(AT.FDCWD, file, O.WRONLY | O.CREAT | O.TRUNC | O.CLOEXEC, 0o666);
const stdout = dup3(resultOf(output), 1, 0);

const pid = clone(0, [output, stdout, ...program(command)]);`,
    by: `void [openat, AT, O, resultOf];
const { openSync } = process.getBuiltinModule('node:fs');
const pid = clone(0, [dup3(openSync(file, 'w+'), 1, 0), ...program(command)]);`,
  },
  {
    name: 'written at once, without the pipe',
    task: 'pid-file',
    breaks: 'waits-for-the-parent',
    file: 'pid-file.ts',
    belief: 'the parent is always faster',
    replace: '[read(go.readEnd, Buffer.alloc(1)), ...program(command)]',
    by: '(void read, program(command))',
  },
  {
    name: 'a nap instead of the pipe',
    task: 'pid-file',
    breaks: 'waits-for-the-parent',
    file: 'pid-file.ts',
    belief: 'a little time is enough for the parent',
    replace: '[read(go.readEnd, Buffer.alloc(1)), ...program(command)]',
    by: `(void read, program(['sh', '-c', 'sleep 5; exec "$@"', 'sh', ...command]))`,
  },
];
