// An exercise as a page: its tasks with their state, hints one below the other, and our solution, folded.
import { basename } from 'node:path/posix';
import { type Html, html } from '../../mini-docker/web/html.ts';
import { type Chapter, exerciseOf, starterFiles } from '../course.ts';
import type { Task } from '../grader/exercise.ts';
import { hintsOf } from '../hints.ts';
import { taskKey } from '../standing.ts';
import type { Page } from './layout.ts';
import { rendered } from './markdown.ts';
import { exercisePage, hrefBetween, pageOfFile } from './paths.ts';
import { chapterLink, program, read } from './reading-pages.ts';

export async function exerciseAsPage(chapter: Chapter): Promise<Page> {
  const path = exercisePage(chapter);
  const folder = `exercises/${chapter.slug}`;
  const place = { page: path, file: `${folder}/README.md` };
  const { tasks } = await exerciseOf(chapter);
  const hints = hintsOf(read(`${folder}/hints.md`));
  const [title, ...sections] = read(`${folder}/README.md`).split(/^(?=## )/m) as [string, ...string[]];
  const parts = sections.map(section => {
    const task = tasks.find(({ id }) => section.startsWith(`## ${id} `));
    const text = rendered(section, place);
    if (task === undefined) return text;
    return html`<section class="task" data-task="${taskKey(chapter, task)}" aria-label="Task ${task.id}">
${text}${state(task)}${nested(hints.get(task.id) ?? [], hint => rendered(hint, place))}</section>
`;
  });
  const starters = starterFiles(chapter);
  const content = html`${rendered(title, place)}
<div class="watch" data-watch hidden><button type="button">Check now</button> <span class="checking"></span></div>
<h2 id="starters">Your files</h2>
<p><code>learn start ${chapter.number}</code> copies these into <code>work/${chapter.slug}/</code>, and
<code>learn check ${chapter.number}</code> checks them.</p>
<ul>
${starters.map(name => {
  const page = pageOfFile(`${folder}/${name}`);
  const code = html`<code>${name}</code>`;
  return html`<li>${page === undefined ? code : html`<a href="${hrefBetween(path, page)}">${code}</a>`}</li>\n`;
})}</ul>
${parts}
<h2 id="solution">Our solution</h2>
${starters.map(name => solution(`solutions/${chapter.slug}/${name}`))}`;
  const reading = chapterLink(chapter);
  return {
    path,
    title: `Exercise ${chapter.number}. ${chapter.title}`,
    content,
    before: reading,
    exercise: chapter.slug,
  };
}

/** Filled in by page.js when there is a server. */
function state({ points }: Task): Html {
  return html`<p class="state" data-state hidden>· not passed yet (${points} ${points === 1 ? 'point' : 'points'})</p>
<dl class="broken" data-broken hidden></dl>
`;
}

/** Each hint contains the next, so that they can only be opened one by one. */
function nested(hints: readonly string[], text: (hint: string) => Html, at = 0): Html {
  if (at === hints.length) return html``;
  return html`<details class="hint"><summary>Hint ${at + 1} of ${hints.length}</summary>
${text(hints[at]!)}${nested(hints, text, at + 1)}</details>
`;
}

function solution(file: string): Html {
  return html`<details><summary><code>${basename(file)}</code></summary>
${program(file)}</details>
`;
}
