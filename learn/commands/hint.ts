// `learn hint` and `learn solution`: help in small portions.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chapterNamed, exerciseOf, starterFiles, UserError } from '../course.ts';
import { hintsOf } from '../hints.ts';
import { render } from '../markdown.ts';
import { page } from '../page.ts';
import { repository } from '../repository.ts';
import { bold, dim, print } from '../screen.ts';
import { readProgress, updateProgress, workOn } from '../work.ts';
import { chapterToCheck } from './check.ts';

/** Shows the next hint for the named task, or for the first task that has not passed. */
export async function hint(name: string | undefined, wanted: string | undefined): Promise<void> {
  const chapter = name === undefined ? chapterToCheck(undefined) : chapterNamed(name);
  const { tasks } = await exerciseOf(chapter);
  const { passed, hints: shown } = readProgress();
  const task =
    wanted === undefined
      ? (tasks.find(({ id }) => passed[`${chapter.slug}/${id}`] === undefined) ?? tasks[0])
      : tasks.find(({ id }) => id === wanted);
  if (task === undefined) {
    throw new UserError(
      `exercise ${chapter.number} has no task ${wanted}; its tasks are ${tasks.map(({ id }) => id).join(', ')}`,
    );
  }
  const hints =
    hintsOf(readFileSync(join(repository, 'exercises', chapter.slug, 'hints.md'), 'utf8')).get(task.id) ?? [];
  const key = `${chapter.slug}/${task.id}`;
  const level = Math.min((shown[key] ?? 0) + 1, hints.length);
  print(bold(`\n${task.id}: hint ${level} of ${hints.length}\n`));
  print(render(hints[level - 1]!));
  print(
    level < hints.length
      ? dim('the same command shows the next hint')
      : dim('that was the last hint; learn solution --force shows our solution'),
  );
  updateProgress(progress => {
    progress.hints[key] = level;
  });
}

/** Shows our solution, and the differences from the learner's. */
export async function solution(name: string | undefined, { force }: { force?: true }): Promise<void> {
  const chapter = name === undefined ? chapterToCheck(undefined) : chapterNamed(name);
  const { tasks } = await exerciseOf(chapter);
  const { passed } = readProgress();
  const open = tasks.filter(({ id }) => passed[`${chapter.slug}/${id}`] === undefined);
  if (open.length > 0 && !force) {
    throw new UserError(
      `${open.map(({ id }) => id).join(' and ')} did not pass yet: 'learn hint ${chapter.number}' helps, 'learn solution ${chapter.number} --force' shows our solution anyway`,
    );
  }
  const parts = starterFiles(chapter).map(file => {
    const ours = join(repository, 'solutions', chapter.slug, file);
    const { stdout } = spawnSync('diff', ['-u', join(workOn(chapter), file), ours], { encoding: 'utf8' });
    const difference = stdout
      ? `Compared with yours:\n\n\`\`\`diff\n${stdout.split('\n').slice(2).join('\n')}\`\`\`\n`
      : '';
    return `## ${file}\n\n\`\`\`ts\n${readFileSync(ours, 'utf8')}\`\`\`\n\n${difference}`;
  });
  page(render(parts.join('\n')));
}
