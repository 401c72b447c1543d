// Chapter 7 where there is no version 1: what its README shows, and its exercise. Run by v2.long.test.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exercise } from '../../exercises/07-cgroups/checks.ts';
import { gradeTask } from '../../learn/grader/grade.ts';
import { repository } from '../../learn/repository.ts';
import { blocksOf } from '../course/readme.ts';
import { testTranscripts } from '../course/transcripts.ts';

const chapter = '07-cgroups';

const readme = blocksOf(readFileSync(join(repository, 'chapters', chapter, 'README.md'), 'utf8'));
testTranscripts(
  readme.filter(({ attributes }) => attributes.get('needs') !== 'cgroup-v1'),
  60_000,
);

test.each(exercise.tasks)('the solution of $id passes', async task => {
  const directory = join(repository, 'solutions', chapter);
  const { outcome, broken } = await gradeTask(task, { chapter, directory, seed: 'v2', patience: 6 });
  expect(broken).toBeUndefined();
  expect(outcome).toBe('passed');
});
