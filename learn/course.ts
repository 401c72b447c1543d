// The chapters of the course, read from its folders: every chapters/NN-slug is a chapter.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Exercise } from './grader/exercise.ts';
import { repository } from './repository.ts';

export interface Chapter {
  /** '02-pid-namespace' */
  slug: string;
  /** '2'; '6b' for the second half of a chapter that would be too long. */
  number: string;
  /** 'A process that is number 1' */
  title: string;
}

/** A mistake of the user: reported in one line, without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

const SLUG = /^\d\d[a-z]?-/;

function numberOf(slug: string): string {
  return slug.slice(0, slug.indexOf('-')).replace(/^0(?=\d)/, '');
}

export function chapters(): Chapter[] {
  const names = readdirSync(join(repository, 'chapters')).filter(name => SLUG.test(name));
  return names.sort().map(slug => ({ slug, number: numberOf(slug), title: titleOf(slug) }));
}

function titleOf(slug: string): string {
  const readme = join(repository, 'chapters', slug, 'README.md');
  const heading = existsSync(readme) ? readFileSync(readme, 'utf8').split('\n', 1)[0]! : '';
  return heading.replace(/^# (Chapter \d+[a-z]?\. )?/, '') || slug.replace(SLUG, '');
}

/** @param name '2', '02', '02-pid-namespace' or 'pid-namespace' @throws UserError */
export function chapterNamed(name: string): Chapter {
  const all = chapters();
  const wanted = name.replace(/^0+(?=\d)/, '');
  const found = all.find(
    ({ slug, number }) => wanted === number || name === slug || name === slug.replace(SLUG, ''),
  );
  if (found !== undefined) return found;
  throw new UserError(`there is no chapter ${name}: chapters are numbered 0 to ${all.at(-1)?.number}`);
}

export async function exerciseOf(chapter: Chapter): Promise<Exercise> {
  const file = join(repository, 'exercises', chapter.slug, 'checks.ts');
  if (!existsSync(file)) return { tasks: [] };
  return ((await import(file)) as { exercise: Exercise }).exercise;
}

const NOT_COPIED = /^(?:README\.md|hints\.md|check.*\.ts)$/;

/** The files that are copied into the learner's folder. */
export function starterFiles(chapter: Pick<Chapter, 'slug'>): string[] {
  const directory = join(repository, 'exercises', chapter.slug);
  return existsSync(directory) ? readdirSync(directory).filter(name => !NOT_COPIED.test(name)) : [];
}
