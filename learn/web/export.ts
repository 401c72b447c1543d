// Writes the course as a static site: the first page, and all that can be reached from it.
import { writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { makeDirectories } from '../../mini-docker/linux/make-directories.ts';
import { contentAt } from './site.ts';

/** @returns the number of files */
export async function exportSite(directory: string): Promise<number> {
  const wanted = new Set(['index.html']);
  // A set may grow while it is walked.
  for (const path of wanted) {
    const content = await contentAt(path, { live: false });
    if (content === undefined) throw new Error(`a page links to ${path}, which the site does not have`);
    const target = join(directory, path);
    makeDirectories(dirname(target));
    writeFileSync(target, content);
    if (path.endsWith('.html')) for (const link of linksOf(path, content)) wanted.add(link);
  }
  return wanted.size;
}

/** What a page links to within the site. */
export function linksOf(path: string, content: string): string[] {
  return [...content.matchAll(/<(?:a|link|script)\b[^>]*? (?:href|src)="([^"#]+)/g)]
    .map(([, link]) => link!)
    .filter(link => !/^[a-z]+:/.test(link))
    .map(link => posix.join(posix.dirname(path), link));
}
