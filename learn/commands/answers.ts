// `learn answers N`: asks the chapter's questions one by one, and shows our answer after each attempt.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Chapter, chapterNamed, UserError } from '../course.ts';
import { render } from '../markdown.ts';
import { questionsOf } from '../questions.ts';
import { repository } from '../repository.ts';
import { bold, dim, print } from '../screen.ts';

export async function answers(name: string): Promise<void> {
  const chapter = chapterNamed(name);
  const [questions, ours] = [read(chapter, 'README.md'), read(chapter, 'answers.md')].map(questionsOf) as [
    string[],
    string[],
  ];
  if (ours.length === 0) throw new UserError(`chapter ${chapter.number} has no questions`);
  const asks = process.stdin.isTTY && process.stdout.isTTY;
  const terminal = asks ? createInterface({ input: process.stdin, output: process.stdout }) : undefined;
  try {
    for (const [index, question] of questions.entries()) {
      print(bold(`\nQuestion ${index + 1} of ${questions.length}\n`));
      print(render(question));
      // The learner's answer is not kept: typing it serves only to think about the question.
      await terminal?.question(dim('Your answer, then Enter: '));
      print(`\n${render(ours[index]!)}`);
    }
  } finally {
    terminal?.close();
  }
}

function read({ slug }: Chapter, file: string): string {
  const path = join(repository, 'chapters', slug, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
