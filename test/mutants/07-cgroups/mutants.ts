import type { Mutant } from '../../course/mutant.ts';

const start = 'const pid = clone(0, [...joinGroup(group), ...program(command)]);\n';

export const mutants: Mutant[] = [
  {
    name: 'joined after exec',
    task: 'limited',
    breaks: 'from-the-first',
    file: 'limited.ts',
    belief: 'the parent can put the command into the group before it does anything',
    replace: start,
    by: `const pid = clone(0, program(command));
const { writeFileSync } = process.getBuiltinModule('node:fs');
for (const each of group) writeFileSync(\`\${each}/cgroup.procs\`, \`\${pid}\`);
`,
  },
  {
    name: 'an empty group',
    task: 'limited',
    breaks: 'from-the-first',
    file: 'limited.ts',
    belief: 'a group limits the process that made it',
    replace: start,
    by: 'const pid = clone(0, program(command));\n',
  },
  {
    name: 'the group stays',
    task: 'limited',
    breaks: 'leaves-nothing',
    file: 'limited.ts',
    belief: 'a group ends with its last process, as a namespace does',
    replace: 'removeGroup(group);\n',
    by: '',
  },
  {
    name: 'what free shows',
    task: 'limit',
    breaks: 'inner',
    file: 'limit.ts',
    belief: 'the memory of the machine is the memory that a process may use',
    replace: 'console.log(least);',
    by: "console.log(process.getBuiltinModule('node:os').totalmem());",
  },
  {
    name: 'its own group only',
    task: 'limit',
    breaks: 'outer',
    file: 'limit.ts',
    belief: 'the limit of its own group is the one that counts',
    replace: "  if (group === '/') break;\n",
    by: '  break;\n',
  },
  {
    name: 'the group above only',
    task: 'limit',
    breaks: 'inner',
    file: 'limit.ts',
    belief: 'the group above decides for those below it',
    replace: 'for (let group = path; ;',
    by: 'for (let group = dirname(path); ;',
  },
  {
    name: 'and the one above',
    task: 'limit',
    breaks: 'outer',
    file: 'limit.ts',
    belief: 'the group above knows about those above it',
    replace: "  if (group === '/') break;",
    by: '  if (group !== path) break;',
  },
];
