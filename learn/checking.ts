// Checks the learner's programs, for the terminal and for the browser.
import type { Chapter } from './course.ts';
import type { Task, TaskResult } from './grader/exercise.ts';
import { gradeTask } from './grader/grade.ts';
import { taskKey } from './standing.ts';
import { updateProgress, workOn } from './work.ts';

/** Yields the result of one task after the other, and writes down those that have passed. */
export async function* checkTasks(
  chapter: Chapter,
  tasks: readonly Task[],
  { seed, patience = 1 }: { seed: string; patience?: number },
): AsyncGenerator<TaskResult> {
  for (const task of tasks) {
    const directory = workOn(chapter);
    const result = await gradeTask(task, { chapter: chapter.slug, directory, seed, patience });
    updateProgress(progress => {
      progress.current = chapter.slug;
      if (result.outcome === 'passed') progress.passed[taskKey(chapter, task)] ??= new Date().toISOString();
    });
    yield result;
  }
}

export function randomSeed(): string {
  return String(Math.floor(Math.random() * 1e9));
}
