// `learn start N` and `learn reset N`: copy the starters into the work folder, never over the learner's work.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { chapterNamed, starterFiles, UserError } from '../course.ts';
import { render } from '../markdown.ts';
import { page } from '../page.ts';
import { repository } from '../repository.ts';
import { bold, print } from '../screen.ts';
import { copyIntoWork, setAside, updateProgress, workOn } from '../work.ts';

export function start(name: string, { fromSolution }: { fromSolution?: true }): void {
  const chapter = chapterNamed(name);
  if (starterFiles(chapter).length === 0) throw new UserError(`chapter ${chapter.number} has no exercise`);
  const { copied, kept } = copyIntoWork(chapter, fromSolution ? 'solutions' : 'exercises');
  updateProgress(progress => {
    progress.current = chapter.slug;
  });
  const directory = relative(process.cwd(), workOn(chapter)) || '.';
  if (!fromSolution && kept.length === 0) {
    page(render(readFileSync(join(repository, 'exercises', chapter.slug, 'README.md'), 'utf8')));
  }
  for (const file of copied)
    print(`${join(directory, file)}: ${fromSolution ? 'solved' : 'ready; look for TODO'}`);
  for (const file of kept) print(`${join(directory, file)}: is there already, left as it is`);
  print(
    `\n${bold(`learn check ${chapter.number}`)} shows how far you are, ${bold(`learn watch ${chapter.number}`)} checks after each change`,
  );
}

export function reset(name: string): void {
  const chapter = chapterNamed(name);
  const aside = setAside(chapter);
  if (aside !== undefined) print(`your work is now in ${relative(process.cwd(), aside)}`);
  const { copied } = copyIntoWork(chapter, 'exercises');
  for (const file of copied)
    print(`${relative(process.cwd(), join(workOn(chapter), file))}: back to the starter`);
}
