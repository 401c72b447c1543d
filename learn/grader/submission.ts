// Finds and inspects submitted folders before any program in them is run.
import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Chapter, chapters, UserError } from '../course.ts';
import type { Task, TaskResult } from './exercise.ts';

export interface Handed {
  /** Path as given. */
  folder: string;
  /** Name of the folder; the path as given if two folders have the same name. */
  name: string;
  /** The folder of each chapter. */
  chapters: Map<Chapter, string>;
  /** Reason why no task of it can be graded. */
  unreadable?: string;
}

/** @param folders submissions: each contains folders NN-slug, or is such a folder */
export function handedIn(folders: readonly string[]): Handed[] {
  const names = folders.map(folder => basename(resolve(folder)));
  return folders.map((folder, at) => {
    const name = names.filter(each => each === names[at]).length > 1 ? folder : names[at]!;
    const path = resolve(folder);
    if (!existsSync(path))
      return { folder, name, chapters: new Map(), unreadable: 'there is no such folder' };
    if (!statSync(path).isDirectory())
      return { folder, name, chapters: new Map(), unreadable: 'it is a file, not a folder' };
    return { folder, name, chapters: chaptersIn(realpathSync(path), basename(path)) };
  });
}

function chaptersIn(path: string, name: string): Map<Chapter, string> {
  const own = chapters().find(({ slug }) => slug === name);
  if (own !== undefined) return new Map([[own, path]]);
  const found = chapters().map((chapter): [Chapter, string] => [chapter, join(path, chapter.slug)]);
  // A symbolic link could lead to the solutions, or into another submission.
  return new Map(
    found.filter(([, directory]) => lstatSync(directory, { throwIfNoEntry: false })?.isDirectory()),
  );
}

/**
 * The chapters in which all submissions are graded: those asked for, or else all that occur in any submission.
 * @throws UserError if there are none
 */
export function askedFor(submissions: readonly Handed[], chosen: readonly Chapter[]): Chapter[] {
  const all = chapters().filter(({ slug }) =>
    chosen.length > 0
      ? chosen.some(each => each.slug === slug)
      : submissions.some(({ chapters: own }) => [...own.keys()].some(each => each.slug === slug)),
  );
  if (all.length > 0) return all;
  const reasons = submissions.map(
    ({ folder, unreadable }) =>
      `${folder}: ${unreadable ?? 'it contains no folder named like a chapter (02-pid-namespace)'}`,
  );
  throw new UserError(reasons.join('\n'));
}

/** @param directory the submission's folder for this chapter, if any. @returns the result of a task that was not handed in */
export function missing(task: Task, chapter: Chapter, directory: string | undefined): TaskResult | undefined {
  const { id, title, points: of, file } = task;
  const seen =
    directory === undefined
      ? `there is no folder ${chapter.slug}`
      : lstatSync(join(directory, file), { throwIfNoEntry: false })?.isFile()
        ? undefined
        : `there is no file ${file} in ${chapter.slug}`;
  if (seen === undefined) return undefined;
  const broken = {
    check: 'handed-in',
    promised: `the answer is handed in as ${chapter.slug}/${file}`,
    seen,
    look: 'the names of folders and files; a symbolic link does not count',
  };
  return { id, title, points: 0, of, outcome: 'failed', broken, milliseconds: 0 };
}

/** The result of a task that the grader could not grade. */
export function graderFailed({ id, title, points: of }: Task, error: unknown): TaskResult {
  const seen = error instanceof Error ? error.message : String(error);
  const broken = {
    check: 'grader',
    promised: 'the grader can check it',
    seen,
    look: 'learn doctor shows whether the machine is at fault; tell your teacher',
  };
  return { id, title, points: 0, of, outcome: 'failed', broken, milliseconds: 0 };
}
