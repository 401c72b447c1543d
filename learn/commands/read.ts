import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chapterNamed, UserError } from '../course.ts';
import { render } from '../markdown.ts';
import { page } from '../page.ts';
import { repository } from '../repository.ts';

/** `learn read N`: shows the chapter; with --exercise, its exercise. */
export function read(name: string, { exercise }: { exercise?: true }): void {
  const chapter = chapterNamed(name);
  const file = join(repository, exercise ? 'exercises' : 'chapters', chapter.slug, 'README.md');
  if (!existsSync(file)) throw new UserError(`chapter ${chapter.number} has no exercise`);
  page(render(readFileSync(file, 'utf8')));
}
