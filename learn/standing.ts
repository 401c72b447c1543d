// How far the learner is: the tasks of each chapter, and which of them have passed.
import { existsSync } from 'node:fs';
import { type Chapter, chapters, exerciseOf } from './course.ts';
import type { Task } from './grader/exercise.ts';
import { readProgress, workOn } from './work.ts';

export interface Standing {
  chapter: Chapter;
  tasks: readonly Task[];
  /** Points of the tasks that have passed. */
  reached: number;
  /** Points of all tasks. */
  of: number;
  /** Whether the exercise is in the work folder. */
  started: boolean;
}

export function taskKey(chapter: Pick<Chapter, 'slug'>, task: Pick<Task, 'id'>): string {
  return `${chapter.slug}/${task.id}`;
}

export async function standings(): Promise<Standing[]> {
  const { passed } = readProgress();
  const sum = (tasks: readonly Task[]): number => tasks.reduce((total, { points }) => total + points, 0);
  return Promise.all(
    chapters().map(async chapter => {
      const { tasks } = await exerciseOf(chapter);
      const done = tasks.filter(task => passed[taskKey(chapter, task)] !== undefined);
      return { chapter, tasks, reached: sum(done), of: sum(tasks), started: existsSync(workOn(chapter)) };
    }),
  );
}
