import type { Mutant } from '../../course/mutant.ts';

export const mutants: Mutant[] = [
  {
    name: 'our own number twice',
    task: 'inside',
    breaks: 'numbers',
    file: 'inside.ts',
    belief: 'a process has one number',
    replace: 'nspid.at(-1)',
    by: 'nspid.at(0)',
  },
  {
    name: 'who sees the same files',
    task: 'inside',
    breaks: 'only-these',
    file: 'inside.ts',
    belief: 'a namespace is a namespace',
    replace: "    return namespaceOf(pid, 'pid') === wanted;",
    by: "    return wanted !== '' && namespaceOf(pid, 'mnt') === namespaceOf(target, 'mnt');",
  },
  {
    name: 'files only',
    task: 'enter',
    breaks: 'pid-namespace',
    file: 'enter.ts',
    belief: 'with the /proc of the box one has its numbers as well',
    replace: 'CLONE.NEWPID | ',
    by: '',
  },
  {
    name: 'the group is forgotten',
    task: 'enter',
    breaks: 'group',
    file: 'enter.ts',
    belief: 'whoever is in the namespaces is in the box',
    replace: '  ...joinGroup(groupOf(target)),\n',
    by: '',
  },
  {
    name: 'only what ps needs',
    task: 'enter',
    breaks: 'uts-namespace',
    file: 'enter.ts',
    belief: 'processes and files are the box',
    replace: ' | CLONE.NEWUTS',
    by: '',
  },
];
