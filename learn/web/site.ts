// The site: which address shows which page. The exporter and the server take their pages from here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chapters } from '../course.ts';
import { exerciseAsPage } from './exercise-page.ts';
import { document, type Page } from './layout.ts';
import { chapterPage, exercisePage, fileOfPage } from './paths.ts';
import { documentPage, mapPage, read, readingPage, sourcePage } from './reading-pages.ts';

const ASSETS = ['style.css', 'page.js'];

/** @param path as in links: 'index.html' @returns undefined if the site has no such page */
export async function contentAt(path: string, { live }: { live: boolean }): Promise<string | undefined> {
  if (ASSETS.includes(path)) return readFileSync(join(import.meta.dirname, 'assets', path), 'utf8');
  const page = await pageAt(path);
  return page && document(page, live);
}

async function pageAt(path: string): Promise<Page | undefined> {
  if (path === 'index.html') return mapPage();
  if (path === 'tour.html') return documentPage('docs/tour.md');
  if (path === 'misconceptions.html') return documentPage('docs/misconceptions.md');
  for (const chapter of chapters()) {
    if (path === chapterPage(chapter)) return readingPage(chapter);
    if (path === exercisePage(chapter)) return exerciseAsPage(chapter);
  }
  const file = fileOfPage(path);
  return file === undefined || read(file) === '' ? undefined : sourcePage(path, file);
}
