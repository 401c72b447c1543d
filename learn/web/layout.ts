// What all pages have: language, title, landmarks, navigation, and a policy that forbids everything else.
import { type Html, html } from '../../mini-docker/web/html.ts';
import { CONTENT_POLICY } from '../../mini-docker/web/server.ts';
import { hrefBetween } from './paths.ts';

export interface Page {
  /** Its address in the site: '02-pid-namespace.html'. */
  path: string;
  title: string;
  content: Html;
  before?: PageLink | undefined;
  after?: PageLink | undefined;
  /** The chapter whose tasks the page shows. */
  exercise?: string;
  /** A script besides that of all pages. */
  script?: string;
}

export interface PageLink {
  path: string;
  title: string;
}

/** For pages that are files: not every browser counts file: as 'self'. */
const FILE_POLICY = CONTENT_POLICY.replace(/(?:script|style)-src 'self'/g, '$& file:');

const SECTIONS: readonly PageLink[] = [
  { path: 'index.html', title: 'Chapters' },
  { path: 'tour.html', title: 'Tour of the engine' },
  { path: 'misconceptions.html', title: 'Misconceptions' },
];
/** Only a server can show it. */
const SANDBOX: PageLink = { path: 'sandbox.html', title: 'Your sandbox' };

/** @param live whether a server is behind the page, which tells it of the learner's progress */
export function document(
  { path, title, content, before, after, exercise, script }: Page,
  live: boolean,
): string {
  const to = (target: string): string => hrefBetween(path, target);
  const link = (each: PageLink, rel: string | undefined, text: string): Html =>
    html`<a href="${to(each.path)}"${rel && html` rel="${rel}"`}${each.path === path && html` aria-current="page"`}>${text}</a>\n`;
  const turn =
    (before || after) &&
    html`<nav class="turn" aria-label="Neighbouring pages">
${before && link(before, 'prev', `← ${before.title}`)}${after && link(after, 'next', `${after.title} →`)}</nav>
`;
  const policy = live ? '' : html`<meta http-equiv="Content-Security-Policy" content="${FILE_POLICY}">\n`;
  return html`<!doctype html>
<html lang="en"${live && html` data-live="${to('events')}"`}${live && exercise && html` data-exercise="${exercise}"`}>
<head>
<meta charset="utf-8">
${policy}<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title} – mini-docker</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${to('style.css')}">
<script src="${to('page.js')}" defer></script>
${script && html`<script type="module" src="${to(script)}"></script>\n`}</head>
<body>
<a class="skip" href="#main">Skip to the text</a>
<header>
<nav aria-label="Course">
${[...SECTIONS, ...(live ? [SANDBOX] : [])].map(each => link(each, undefined, each.title))}</nav>
</header>
<main id="main" tabindex="-1">
${content}
</main>
${turn}<footer>
<p>mini-docker: from one system call to a working Docker</p>
</footer>
<p id="news" class="unseen" role="status"></p>
</body>
</html>
`.html;
}
