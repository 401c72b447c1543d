// The addresses of the site's pages. All links are relative, so that the site works in any folder, and from file://.
import { dirname, relative } from 'node:path/posix';
import type { Chapter } from '../course.ts';

export function chapterPage({ slug }: Pick<Chapter, 'slug'>): string {
  return `${slug}.html`;
}

export function exercisePage({ slug }: Pick<Chapter, 'slug'>): string {
  return `exercise-${slug}.html`;
}

/** Parts of the repository that a page may show as source. */
const SHOWN =
  /^(?:mini-docker|chapters|exercises|solutions|learn|docs|test)\/[\w./-]+\.(?:ts|md|sh)$|^[A-Z]+\.md$/;

/** @param file its path in the repository @returns undefined for a file that the site does not show */
export function pageOfFile(file: string): string | undefined {
  if (file.split('/').includes('..') || !SHOWN.test(file)) return undefined;
  const [, folder, slug] = /^(chapters|exercises)\/([\w-]+)\/README\.md$/.exec(file) ?? [];
  if (folder !== undefined)
    return folder === 'chapters' ? chapterPage({ slug: slug! }) : exercisePage({ slug: slug! });
  return ofDocuments[file] ?? `source/${file}.html`;
}

const ofDocuments: Readonly<Record<string, string>> = {
  'docs/tour.md': 'tour.html',
  'docs/misconceptions.md': 'misconceptions.html',
};

/** The file that a source page shows; undefined if there can be none. */
export function fileOfPage(page: string): string | undefined {
  const [, file] = /^source\/(.+)\.html$/.exec(page) ?? [];
  return file !== undefined && pageOfFile(file) === page ? file : undefined;
}

export function hrefBetween(from: string, to: string): string {
  return relative(dirname(from), to);
}
