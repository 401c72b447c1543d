// The chapters about control groups where there is no version 1: what their READMEs show, and their exercises. Run by
// v2.long.test.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exerciseOf } from '../../learn/course.ts';
import { gradeTask } from '../../learn/grader/grade.ts';
import { repository } from '../../learn/repository.ts';
import { blocksOf } from '../course/readme.ts';
import { testTranscripts } from '../course/transcripts.ts';

for (const slug of ['07-cgroups', '16-rights']) {
  const { tasks } = await exerciseOf({ slug, number: '', title: '' });
  describe(slug, () => {
    const readme = blocksOf(readFileSync(join(repository, 'chapters', slug, 'README.md'), 'utf8'));
    testTranscripts(
      readme.filter(({ attributes }) => attributes.get('needs')?.includes('cgroup-v1') !== true),
      60_000,
    );

    test.each(tasks)('the solution of $id passes', async task => {
      const directory = join(repository, 'solutions', slug);
      const { outcome, broken } = await gradeTask(task, {
        chapter: slug,
        directory,
        seed: 'v2',
        patience: 6,
      });
      expect(broken).toBeUndefined();
      expect(outcome).toBe('passed');
    });
  });
}
