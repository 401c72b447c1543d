// `learn grade`: submissions, one after another, each task in a sandbox of its own.
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Chapter, chapters, exerciseOf, UserError } from '../course.ts';
import type { Task, TaskResult } from '../grader/exercise.ts';
import { gradeTask } from '../grader/grade.ts';
import {
  type ChapterResult,
  gradescopeReport,
  jsonReport,
  junitReport,
  type Submission,
  textReport,
} from '../grader/reports.ts';

export interface GradeOptions {
  json?: true;
  junit?: true;
  gradescope?: true;
  seed?: string;
  patience?: number;
  chapter?: string[];
}

/** @param folders each a submission: with folders NN-slug in it, or such a folder itself */
export async function grade(folders: readonly string[], options: GradeOptions): Promise<void> {
  const formats = [options.json, options.junit, options.gradescope].filter(Boolean);
  if (formats.length > 1) throw new UserError('one of --json, --junit and --gradescope');
  if (options.gradescope && folders.length > 1)
    throw new UserError("Gradescope's results are those of one submission");
  const seed = options.seed ?? String(Math.floor(Math.random() * 1e9));
  const submissions: Submission[] = [];
  for (const folder of folders) submissions.push(await gradeSubmission(folder, seed, options));
  const report = options.json
    ? jsonReport
    : options.junit
      ? junitReport
      : options.gradescope
        ? gradescopeReport
        : textReport;
  process.stdout.write(report(submissions, seed));
  const failed = submissions.some(({ chapters: all }) =>
    all.some(({ tasks }) => tasks.some(task => task.outcome === 'failed')),
  );
  if (failed) process.exitCode = 1;
}

async function gradeSubmission(
  folder: string,
  seed: string,
  { chapter: only, patience = 1 }: GradeOptions,
): Promise<Submission> {
  const path = resolve(folder);
  if (!existsSync(path) || !statSync(path).isDirectory())
    throw new UserError(`${folder}: there is no such folder`);
  const found = chaptersIn(path).filter(
    ({ chapter }) => only === undefined || only.some(name => Number(name) === chapter.number),
  );
  if (found.length === 0)
    throw new UserError(
      `${folder}: there is no folder in it that is named like a chapter (02-pid-namespace)`,
    );
  // Each student's own names and values, and the same again for who asks why.
  const own = `${seed} ${basename(path)}`;
  const results: ChapterResult[] = [];
  for (const { chapter, directory } of found) {
    const { tasks } = await exerciseOf(chapter);
    const graded: TaskResult[] = [];
    for (const task of tasks)
      graded.push(await gradeSafely(task, { chapter: chapter.slug, directory, seed: own, patience }));
    results.push({ slug: chapter.slug, title: chapter.title, tasks: graded });
  }
  return { name: basename(path), seed: own, chapters: results };
}

function chaptersIn(path: string): { chapter: Chapter; directory: string }[] {
  const own = chapters().find(({ slug }) => slug === basename(path));
  if (own !== undefined) return [{ chapter: own, directory: path }];
  return chapters()
    .map(chapter => ({ chapter, directory: join(path, chapter.slug) }))
    .filter(({ directory }) => existsSync(directory));
}

/** What breaks the grader itself must not cost the others their grades. */
async function gradeSafely(
  task: Task,
  options: { chapter: string; directory: string; seed: string; patience: number },
): Promise<TaskResult> {
  try {
    return await gradeTask(task, options);
  } catch (error) {
    const { id, title, points: of } = task;
    const seen = error instanceof Error ? error.message : String(error);
    const broken = {
      check: 'grader',
      promised: 'the grader can look at it',
      seen,
      look: 'learn doctor; and tell your teacher',
    };
    return { id, title, points: 0, of, outcome: 'failed', broken, milliseconds: 0 };
  }
}
