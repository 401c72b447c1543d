// The pages to read: the map, the chapters, the documents and the sources.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tokens } from 'marked';
import { type Html, html } from '../../mini-docker/web/html.ts';
import { type Chapter, chapters, starterFiles } from '../course.ts';
import { questionsOf } from '../questions.ts';
import { repository } from '../repository.ts';
import { standings } from '../standing.ts';
import { codeBlock } from './code.ts';
import type { Page, PageLink } from './layout.ts';
import { type Place, rendered, renderedTokens, tokensOf } from './markdown.ts';
import { chapterPage, exercisePage, hrefBetween, pageOfFile } from './paths.ts';

export function read(file: string): string {
  const path = join(repository, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

export async function mapPage(): Promise<Page> {
  const rows = (await standings()).map(
    ({ chapter, of }) =>
      html`<li><a href="${chapterPage(chapter)}">Chapter ${chapter.number}. ${chapter.title}</a>${
        of > 0 &&
        html` <a class="exercise" href="${exercisePage(chapter)}">Exercise<span class="unseen"> ${chapter.number}</span></a> <span class="tally" data-chapter="${chapter.slug}">${of} points</span>`
      }</li>\n`,
  );
  const content = html`<h1>From one system call to a working Docker</h1>
<p>Each chapter develops a program that runs; each exercise has tasks that a grader checks by observing what the kernel
shows. Keep a terminal beside this page: <code>learn shell</code> opens a sandbox in which you can break anything.</p>
<p class="total" data-total></p>
<ul class="map">
${rows}</ul>
<p>After the chapters, <a href="tour.html">a tour of the engine in twelve stops</a>; and, for discussions,
<a href="misconceptions.html">what people believe about containers</a>.</p>`;
  return { path: 'index.html', title: 'Chapters', content };
}

export function chapterLink(chapter: Chapter): PageLink {
  return { path: chapterPage(chapter), title: `Chapter ${chapter.number}. ${chapter.title}` };
}

export function readingPage(chapter: Chapter): Page {
  const path = chapterPage(chapter);
  const folder = `chapters/${chapter.slug}`;
  const all = chapters();
  const at = all.findIndex(({ slug }) => slug === chapter.slug);
  const [before, after] = [all[at - 1], all[at + 1]].map(each => each && chapterLink(each));
  const programs = readdirSync(join(repository, folder)).filter(name => name.endsWith('.ts'));
  const files = programs.map(name => {
    const page = pageOfFile(`${folder}/${name}`)!;
    return html`<li><a href="${hrefBetween(path, page)}"><code>${name}</code></a></li>\n`;
  });
  const exercise = starterFiles(chapter).length > 0;
  const content = html`${chapterText(read(`${folder}/README.md`), read(`${folder}/answers.md`), {
    page: path,
    file: `${folder}/README.md`,
  })}
<h2 id="files">Files of this chapter</h2>
<ul>
${files}</ul>
${exercise && html`<p class="onward"><a href="${exercisePage(chapter)}">To exercise ${chapter.number}</a></p>`}`;
  return { path, title: `Chapter ${chapter.number}. ${chapter.title}`, content, before, after };
}

/** The chapter, and below its questions our answers, folded. */
function chapterText(markdown: string, answers: string, place: Place): Html {
  const tokens = tokensOf(markdown);
  const heading = tokens.findIndex(
    token => token.type === 'heading' && (token as Tokens.Heading).text === 'Questions',
  );
  const list = tokens.findIndex((token, index) => index > heading && token.type === 'list');
  if (heading < 0 || list < 0) return renderedTokens(tokens, place);
  return html`${renderedTokens(tokens.slice(0, list + 1), place)}${folded(answers, place)}
${renderedTokens(tokens.slice(list + 1), place)}`;
}

function folded(answers: string, place: Place): Html[] {
  return questionsOf(answers).map(
    (answer, index) =>
      html`<details><summary>Answer ${index + 1}</summary>\n${rendered(answer, place)}</details>\n`,
  );
}

/** docs/tour.md or docs/misconceptions.md. */
export function documentPage(file: string): Page {
  const path = pageOfFile(file)!;
  const markdown = read(file);
  const [text, answers = ''] = markdown.split(/^(?=## Answers$)/m) as [string, string?];
  const place = { page: path, file };
  const answered = answers !== '' && html`<h2 id="answers">Answers</h2>\n${folded(answers, place)}`;
  const content = html`${rendered(text, place)}${answered}`;
  return { path, title: titleOf(text), content };
}

/** A file of the repository: Markdown as a page, a program in colours. */
export function sourcePage(path: string, file: string): Page {
  if (file.endsWith('.md')) {
    const markdown = read(file);
    return { path, title: titleOf(markdown), content: rendered(markdown, { page: path, file }) };
  }
  return { path, title: file, content: html`<h1 class="file">${file}</h1>\n${program(file)}` };
}

export function program(file: string): Html {
  return codeBlock(read(file), file.endsWith('.sh') ? 'bash' : 'ts');
}

function titleOf(markdown: string): string {
  return /^# (.+)$/m.exec(markdown)?.[1] ?? 'mini-docker';
}
