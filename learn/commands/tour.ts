// `learn tour`: the engine in twelve stops. docs/tour.md has the text; each stop names the file to read.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../course.ts';
import { highlighted } from '../highlight.ts';
import { render } from '../markdown.ts';
import { page } from '../page.ts';
import { questionsOf } from '../questions.ts';
import { repository } from '../repository.ts';
import { bold, dim, print, width } from '../screen.ts';

export interface Stop {
  title: string;
  /** The file to read, relative to the repository. */
  file: string;
  /** Markdown: what to look at, and a question. */
  text: string;
  answer: string;
}

export function tourStops(): Stop[] {
  const markdown = readFileSync(join(repository, 'docs/tour.md'), 'utf8');
  const [journey, answers] = markdown.split(/^(?=## Answers$)/m) as [string, string];
  const ours = questionsOf(answers);
  return journey
    .split(/^## \d+\. /m)
    .slice(1)
    .map((section, index) => {
      const [, title, file, text] = /^(.+)\n\nFile: \[(.+)\].*\n\n([\s\S]*)/.exec(section)!;
      return { title: title!, file: file!, text: text!, answer: ours[index]! };
    });
}

export function tour(number: string | undefined, { answer }: { answer?: true }): void {
  const stops = tourStops();
  if (number === undefined) {
    const files = Math.max(...stops.map(({ file }) => file.length));
    const column = Math.max(0, Math.min(24, width() - 5 - files));
    for (const [index, { title, file }] of stops.entries())
      print(`${String(index + 1).padStart(2)}  ${title.padEnd(column)} ${dim(file)}`);
    print('\nlearn tour 1 shows the first stop.');
    return;
  }
  const stop = stops[Number(number) - 1];
  if (stop === undefined)
    throw new UserError(`there is no stop ${number}: they are numbered 1 to ${stops.length}`);
  if (answer) {
    print(render(stop.answer).trimEnd());
    return;
  }
  const code = readFileSync(join(repository, stop.file), 'utf8');
  const next = Number(number) < stops.length ? `; next: learn tour ${Number(number) + 1}` : '';
  page(
    [
      bold(`Stop ${number} of ${stops.length}. ${stop.title}`),
      render(stop.text).trimEnd(),
      dim(stop.file),
      highlighted(code, 'typescript'),
      dim(`The answer: learn tour ${number} --answer${next}`),
    ].join('\n\n'),
  );
}
