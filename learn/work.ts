// The learner's work, in work/NN-slug/ inside the course's folder, where imports find the course; and the progress.
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Chapter } from './course.ts';
import { starterFiles, UserError } from './course.ts';
import { repository } from './repository.ts';

export const workFolder = process.env.LEARN_WORK ?? join(repository, 'work');
const stateFile = join(workFolder, '.learn.json');

export interface Progress {
  /** 'NN-slug/task' → time at which it first passed, ISO 8601. */
  passed: Record<string, string>;
  /** 'NN-slug/task' → number of hints shown. */
  hints: Record<string, number>;
  /** The chapter started or checked last. */
  current?: string;
  /** The folder of the capstone. */
  capstone?: string;
}

/** Makes the work folder if it does not exist. @returns its path */
export function makeWorkFolder(): string {
  makeOwned(workFolder);
  return workFolder;
}

export function workOn(chapter: Pick<Chapter, 'slug'>): string {
  return join(workFolder, chapter.slug);
}

export function readProgress(): Progress {
  if (!existsSync(stateFile)) return { passed: {}, hints: {} };
  try {
    return { passed: {}, hints: {}, ...JSON.parse(readFileSync(stateFile, 'utf8')) };
  } catch {
    // The file was damaged by hand. It holds only the progress, not the work.
    return { passed: {}, hints: {} };
  }
}

export function updateProgress(change: (progress: Progress) => void): void {
  const progress = readProgress();
  change(progress);
  makeOwned(workFolder);
  writeState(stateFile, progress);
}

/** Replaces a file. Two commands, such as `learn web` and `learn watch`, may do it at the same time. */
export function writeState(file: string, state: object): void {
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, `${JSON.stringify(state, null, 2)}\n`);
  own(fresh);
  renameSync(fresh, file);
}

/** Copies files that do not exist yet. @returns which files were copied, and which existed and were kept */
export function copyIntoWork(
  chapter: Chapter,
  from: 'exercises' | 'solutions',
): { copied: string[]; kept: string[] } {
  const directory = workOn(chapter);
  makeOwned(workFolder);
  makeOwned(directory);
  const copied: string[] = [];
  const kept: string[] = [];
  for (const name of starterFiles(chapter)) {
    const source = join(repository, from, chapter.slug, name);
    const target = join(directory, name);
    if (existsSync(target) && !(from === 'solutions' && isUntouched(chapter, name))) kept.push(name);
    else {
      copyFileSync(source, target);
      own(target);
      copied.push(name);
    }
  }
  return { copied, kept };
}

/** Whether a file is still identical to the starter. */
function isUntouched(chapter: Chapter, name: string): boolean {
  const starter = readFileSync(join(repository, 'exercises', chapter.slug, name));
  return readFileSync(join(workOn(chapter), name)).equals(starter);
}

/** Moves the work aside. @returns its new place */
export function setAside(chapter: Chapter): string | undefined {
  const directory = workOn(chapter);
  if (!existsSync(directory)) return undefined;
  const aside = `${directory}.${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`;
  renameSync(directory, aside);
  return aside;
}

export function makeOwned(directory: string): void {
  if (existsSync(directory)) return;
  // One by one: Node's `recursive` tries for ever where nothing can be made, as in /proc.
  makeOwned(dirname(directory));
  try {
    mkdirSync(directory);
  } catch (error) {
    throw new UserError(`cannot make the folder ${directory}: ${(error as Error).message}`);
  }
  own(directory);
}

/** Gives files to the user who called sudo. */
export function own(path: string): void {
  const { SUDO_UID: user, SUDO_GID: group } = process.env;
  if (process.geteuid?.() === 0 && user !== undefined && group !== undefined) {
    chownSync(path, Number(user), Number(group));
  }
}
