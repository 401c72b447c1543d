import type { Mutant } from '../../course/mutant.ts';

const whiteout = 'call(mknodat(AT.FDCWD, upper + path, S_IF.CHR, 0));\n';
const nodeFs = "process.getBuiltinModule('node:fs')";

export const mutants: Mutant[] = [
  {
    name: 'as in a tar',
    task: 'forget',
    breaks: 'is-gone',
    file: 'forget.ts',
    belief: 'a whiteout is a file called .wh.NAME, also for overlay',
    replace: whiteout,
    by: `${nodeFs}.writeFileSync((upper + path).replace(/([^/]+)$/, '.wh.$1'), '');\n`,
  },
  {
    name: 'whiteout as a plain file',
    task: 'forget',
    breaks: 'is-gone',
    file: 'forget.ts',
    belief: 'an empty file hides what lies below it',
    replace: whiteout,
    by: `${nodeFs}.writeFileSync(upper + path, '');\n`,
  },
  {
    name: 'deleted above',
    task: 'forget',
    breaks: 'is-gone',
    file: 'forget.ts',
    belief: 'what is deleted in the writable layer is deleted',
    replace: whiteout,
    by: '',
  },
  {
    name: 'never changed before',
    task: 'forget',
    breaks: 'also-changed',
    file: 'forget.ts',
    belief: 'a file is above or below',
    replace: 'rmSync(upper + path, { recursive: true, force: true });\n',
    by: '',
  },
  {
    name: 'a device like others',
    task: 'changes',
    breaks: 'deleted',
    file: 'changes.ts',
    belief: 'what is in the layer is there',
    replace: "  if (above.isCharacterDevice() && above.rdev === 0) return 'D';\n",
    by: '',
  },
  {
    name: 'above is new',
    task: 'changes',
    breaks: 'changed',
    file: 'changes.ts',
    belief: 'the writable layer holds what was added',
    replace: "below === undefined ? 'A' : 'C'",
    by: "below === null ? 'C' : 'A'",
  },
  {
    name: 'above is changed',
    task: 'changes',
    breaks: 'added',
    file: 'changes.ts',
    belief: 'whatever is in both views was changed',
    replace: "below === undefined ? 'A' : 'C'",
    by: "'C'",
  },
  {
    name: 'every letter for everything',
    task: 'changes',
    breaks: 'no-others',
    file: 'changes.ts',
    belief: 'too much does no harm',
    replace: '    console.log(`${kindOf(path)} ${path}`);\n',
    by: "    for (const letter of [kindOf(path), 'A', 'C', 'D']) console.log(`${letter} ${path}`);\n",
  },
];
