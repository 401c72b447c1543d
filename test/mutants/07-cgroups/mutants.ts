import type { Mutant } from '../../course/mutant.ts';

const start = 'const pid = clone(0, [...joinGroup(group), ...program(command)]);\n';

export const mutants: Mutant[] = [
  {
    name: 'joined after exec',
    task: 'limited',
    breaks: 'from-the-first',
    file: 'limited.ts',
    belief: 'a group can be joined at any time: what is there already moves along',
    replace: start,
    by: `const pid = clone(0, program(command));
const { writeFileSync } = process.getBuiltinModule('node:fs');
setTimeout(() => group.forEach(each => writeFileSync(\`\${each}/cgroup.procs\`, \`\${pid}\`)), 500);
`,
  },
  {
    name: 'an empty group',
    task: 'limited',
    breaks: 'from-the-first',
    file: 'limited.ts',
    belief: 'a group limits whoever made it',
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
    belief: 'the memory that there is, is the memory that one may use',
    replace: 'console.log(least);',
    by: "console.log(process.getBuiltinModule('node:os').totalmem());",
  },
  {
    name: 'its own group only',
    task: 'limit',
    breaks: 'outer',
    file: 'limit.ts',
    belief: 'what stands in the group is what counts',
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
];
