// The solutions of the chapters from 15 on, graded in a virtual machine, which has no version 1 of control groups. Run by
// v2-chapters.long.test.ts and arm64.long.test.ts.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { exercise as users } from '../../exercises/15-users/checks.ts';
import { exercise as rights } from '../../exercises/16-rights/checks.ts';
import { exercise as registry } from '../../exercises/17-registry/checks.ts';
import { exercise as daemon } from '../../exercises/18-daemon/checks.ts';
import { exercise as names } from '../../exercises/19-names/checks.ts';
import { exercise as hosts } from '../../exercises/20-hosts/checks.ts';
import { exercise as standard } from '../../exercises/21-standard/checks.ts';
import { gradeTask } from '../../learn/grader/grade.ts';
import { compiledDirectory, repository } from '../../learn/repository.ts';

const exercises = {
  '15-users': users,
  '16-rights': rights,
  '17-registry': registry,
  '18-daemon': daemon,
  '19-names': names,
  '20-hosts': hosts,
  '21-standard': standard,
};

// Node cannot use what another architecture has compiled, and starts in a third of the time with code of its own.
beforeAll(() => {
  if (process.arch !== 'arm64') return;
  spawnSync('mount', ['-t', 'tmpfs', 'compiled', compiledDirectory]);
  const env = { ...process.env, NODE_COMPILE_CACHE: compiledDirectory };
  for (const chapter of ['17-registry', '21-standard'])
    spawnSync(process.execPath, [`chapters/${chapter}/box.ts`], { cwd: repository, env });
});

for (const [chapter, { tasks }] of Object.entries(exercises))
  for (const task of tasks.filter(({ needsProgram }) => needsProgram === undefined))
    test(`the solution of ${chapter}, ${task.id}, passes`, async () => {
      const directory = join(repository, 'solutions', chapter);
      const result = await gradeTask(task, { chapter, directory, seed: 'vm', patience: 100 });
      expect(result).toMatchObject({ outcome: 'passed' });
    }, 900_000);
