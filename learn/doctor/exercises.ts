// The exercises that can be done without root, by what each task says that it needs.
import { chapters, exerciseOf } from '../course.ts';
import type { Task } from '../grader/exercise.ts';
import type { Finding } from './finding.ts';

export async function exercises(): Promise<Finding> {
  const whole: string[] = [];
  const parts: string[] = [];
  for (const chapter of chapters()) {
    const { tasks } = await exerciseOf(chapter);
    const barred = tasks.filter(needsRoot);
    if (tasks.length > 0 && barred.length === 0) whole.push(chapter.number);
    else if (barred.length > 0) parts.push(`${chapter.number} (${barred.map(({ id }) => id).join(', ')})`);
  }
  const isRoot = process.geteuid?.() === 0;
  return {
    subject: 'exercises',
    state: isRoot ? 'good' : 'limited',
    found: `without root: all tasks of ${whole.join(', ')}`,
    means: `root is needed in ${parts.join(', ')}`,
    ...(isRoot ? {} : { mend: 'use sudo for these: they are skipped without it, not failed' }),
  };
}

const needsRoot = (task: Task): boolean => task.needsRoot === true || task.needsGroups === true;
