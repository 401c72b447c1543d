// `learn grade`: grades submissions, each task in its own sandbox, three at a time on two processors.
import { availableParallelism } from 'node:os';
import { gradeCapstones } from '../capstone/submissions.ts';
import { type Chapter, chapterNamed, exerciseOf, UserError } from '../course.ts';
import type { Task, TaskResult } from '../grader/exercise.ts';
import { gradeTask } from '../grader/grade.ts';
import { inParallel } from '../grader/in-parallel.ts';
import { gradescopeReport, jsonReport, junitReport, type Submission, textReport } from '../grader/reports.ts';
import { askedFor, graderFailed, type Handed, handedIn, missing } from '../grader/submission.ts';

export interface GradeOptions {
  json?: true;
  junit?: true;
  gradescope?: true;
  seed?: string;
  patience?: number;
  chapter?: string[];
  capstone?: true;
  stage?: string[];
}

/** @param folders submissions: each contains folders NN-slug, or is such a folder */
export async function grade(folders: readonly string[], options: GradeOptions): Promise<void> {
  const formats = [options.json, options.junit, options.gradescope].filter(Boolean);
  if (formats.length > 1) throw new UserError('use only one of --json, --junit and --gradescope');
  if (options.gradescope && folders.length > 1)
    throw new UserError('--gradescope grades one submission at a time: name one folder');
  const seed = options.seed ?? String(Math.floor(Math.random() * 1e9));
  if (options.capstone && options.chapter !== undefined)
    throw new UserError('--capstone grades the capstone, and --chapter chapters: use only one of them');
  if (options.stage !== undefined && !options.capstone)
    throw new UserError('--stage is for --capstone: use --chapter for chapters');
  const handed = handedIn(folders);
  const how = { seed, patience: options.patience ?? 1 };
  const submissions = options.capstone
    ? await gradeCapstones(handed, { ...how, only: options.stage ?? [] })
    : await gradeAll(handed, askedFor(handed, (options.chapter ?? []).map(chapterNamed)), how);
  // Where none can be read, that was the error.
  for (const { folder, unreadable } of handed)
    if (unreadable !== undefined) console.error(`learn: ${folder}: ${unreadable}`);
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

interface Job {
  task: Task;
  chapter: Chapter;
  directory: string | undefined;
  /** Seed of the submission, which gives each student other names and values, and lets a teacher repeat them. */
  seed: string;
}

async function gradeAll(
  handed: readonly Handed[],
  asked: readonly Chapter[],
  { seed, patience }: { seed: string; patience: number },
): Promise<Submission[]> {
  const exercises = await Promise.all(asked.map(exerciseOf));
  const submissions = handed.map(({ name, chapters: own }) => ({
    name,
    seed: `${seed} ${name}`,
    chapters: asked.map((chapter, at) => ({
      chapter,
      directory: [...own].find(([each]) => each.slug === chapter.slug)?.[1],
      tasks: exercises[at]!.tasks,
    })),
  }));
  const jobs = submissions.flatMap(submission =>
    submission.chapters.flatMap(({ tasks, ...rest }) =>
      tasks.map((task): Job => ({ task, ...rest, seed: submission.seed })),
    ),
  );
  // A task waits for a third of its time: for programs to start, and for signals and time limits.
  const atATime = Math.ceil(availableParallelism() * 1.5);
  const results = await inParallel(jobs, atATime, job => gradeSafely(job, patience));
  const next = results.values();
  return submissions.map(({ chapters: graded, ...submission }) => ({
    ...submission,
    chapters: graded.map(({ chapter: { slug, title }, tasks }) => ({
      slug,
      title,
      tasks: tasks.map(() => next.next().value!),
    })),
  }));
}

/** An error of the grader itself must not cost the other submissions their grades. */
async function gradeSafely({ task, chapter, directory, seed }: Job, patience: number): Promise<TaskResult> {
  const nothing = missing(task, chapter, directory);
  if (nothing !== undefined) return nothing;
  try {
    return await gradeTask(task, { chapter: chapter.slug, directory: directory!, seed, patience });
  } catch (error) {
    return graderFailed(task, error);
  }
}
