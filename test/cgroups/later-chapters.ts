// The solutions of the chapters from 15 on, graded in a virtual machine, which has no version 1 of control groups. Run by
// v2-chapters.long.test.ts and arm64.long.test.ts.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exercise as users } from '../../exercises/15-users/checks.ts';
import { exercise as rights } from '../../exercises/16-rights/checks.ts';
import { exercise as registry } from '../../exercises/17-registry/checks.ts';
import { exercise as daemon } from '../../exercises/18-daemon/checks.ts';
import { exercise as names } from '../../exercises/19-names/checks.ts';
import { exercise as hosts } from '../../exercises/20-hosts/checks.ts';
import { exercise as standard } from '../../exercises/21-standard/checks.ts';
import { gradeTask } from '../../learn/grader/grade.ts';
import { repository } from '../../learn/repository.ts';

const exercises = {
  '15-users': users,
  '16-rights': rights,
  '17-registry': registry,
  '18-daemon': daemon,
  '19-names': names,
  '20-hosts': hosts,
  '21-standard': standard,
};

for (const [chapter, { tasks }] of Object.entries(exercises))
  for (const task of tasks.filter(({ needsProgram }) => needsProgram === undefined))
    test(`the solution of ${chapter}, ${task.id}, passes`, async () => {
      const directory = join(repository, 'solutions', chapter);
      const result = await gradeTask(task, { chapter, directory, seed: 'v2', patience: 20 });
      expect(result).toMatchObject({ outcome: 'passed' });
    }, 400_000);
