// The site: which address shows which page. The exporter and the server take their pages from here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { picturePart } from '../../mini-docker/cli/picture/page.ts';
import { asset } from '../../mini-docker/web/assets.ts';
import { html } from '../../mini-docker/web/html.ts';
import { chapters } from '../course.ts';
import { exerciseAsPage } from './exercise-page.ts';
import { document, type Page } from './layout.ts';
import { chapterPage, exercisePage, fileOfPage } from './paths.ts';
import { documentPage, mapPage, read, readingPage, sourcePage } from './reading-pages.ts';

/** Of files in assets/, here and in mini-docker/web/. */
const FILES: Readonly<Record<string, () => string>> = {
  'style.css': () => asset('base.css') + own('style.css') + asset('picture.css'),
  'page.js': () => own('page.js'),
  'picture.js': () => asset('picture.js'),
};

/** @param path as in links: 'index.html' @returns undefined if the site has no such page */
export async function contentAt(path: string, { live }: { live: boolean }): Promise<string | undefined> {
  if (Object.hasOwn(FILES, path)) return FILES[path]!();
  const page = live && path === SANDBOX_PAGE ? sandboxPage() : await pageAt(path);
  return page && document(page, live);
}

function own(name: string): string {
  return readFileSync(join(import.meta.dirname, 'assets', name), 'utf8');
}

const SANDBOX_PAGE = 'sandbox.html';

/** The same as `learn look`. */
function sandboxPage(): Page {
  const content = html`<h1>Your sandbox</h1>
<p>What the kernel has of the sandbox that <code>learn shell</code> opened in a terminal beside this page. What changes is
marked for five seconds: type <code>unshare --uts sh</code> there, and a namespace appears here.</p>
${picturePart('sandbox-picture')}`;
  return { path: SANDBOX_PAGE, title: 'Your sandbox', content, script: 'picture.js' };
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
