import type { Mutant } from '../../course/mutant.ts';

export const mutants: Mutant[] = [
  {
    name: 'with itself',
    task: 'same',
    breaks: 'tells-shared',
    file: 'same.ts',
    belief: 'the program is one of the two',
    replace: 'namespaceOf(first, kind)',
    by: "namespaceOf('self', kind)",
  },
  {
    name: 'both with itself',
    task: 'same',
    breaks: 'compares-the-two',
    file: 'same.ts',
    belief: 'two processes share what both share with me',
    replace: 'namespaceOf(first, kind) === namespaceOf(second, kind)',
    by: "[first, second].every(pid => namespaceOf(pid, kind) === namespaceOf('self', kind))",
  },
  {
    name: 'compares with itself',
    task: 'strangers',
    breaks: 'compares-with-1',
    file: 'strangers.ts',
    belief: 'the program is in the namespaces of the machine',
    replace: 'namespaceOf(1, kind)',
    by: "namespaceOf('self', kind)",
  },
  {
    name: 'the wrong way round',
    task: 'strangers',
    breaks: 'finds-them',
    file: 'strangers.ts',
    belief: 'equal numbers mean different namespaces',
    replace: 'if (isStranger(pid)) console.log(pid);',
    by: 'if (!isStranger(pid)) console.log(pid);',
  },
  {
    name: 'stumbles over who has ended',
    task: 'strangers',
    breaks: 'survives-the-ended',
    file: 'strangers.ts',
    belief: 'what stands in /proc is alive',
    replace: `    // It has ended, and is in no namespace any more.
    return false;
`,
    by: `    throw Object.assign(new Error('ENOENT'), { pid });
`,
  },
];
