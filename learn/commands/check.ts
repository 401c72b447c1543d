// `learn check` and `learn watch`: do the learner's programs do what the exercise asks?

import { existsSync, watch as watchFiles } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkTasks, randomSeed } from '../checking.ts';
import { type Chapter, chapterNamed, chapters, exerciseOf, UserError } from '../course.ts';
import type { TaskResult } from '../grader/exercise.ts';
import { bad, bold, dim, good, print, SIGN, wrap } from '../screen.ts';
import { readProgress, workOn } from '../work.ts';

export interface CheckOptions {
  seed?: string;
  task?: string;
  patience?: number;
}

/** @param name the chapter started last, if omitted */
export function chapterToCheck(name: string | undefined): Chapter {
  const wanted = name ?? readProgress().current;
  if (wanted === undefined) throw new UserError("name a chapter; 'learn start 0' starts the first exercise");
  const chapter = chapterNamed(wanted);
  if (!existsSync(workOn(chapter))) {
    throw new UserError(
      `you have not started exercise ${chapter.number}; type 'learn start ${chapter.number}'`,
    );
  }
  return chapter;
}

export async function check(name: string | undefined, options: CheckOptions): Promise<void> {
  if (!(await checkOnce(chapterToCheck(name), options))) process.exitCode = 1;
}

/** @returns whether no task failed */
async function checkOnce(
  chapter: Chapter,
  { seed, task: only, patience = 1 }: CheckOptions,
): Promise<boolean> {
  const { tasks } = await exerciseOf(chapter);
  const chosen = only === undefined ? tasks : tasks.filter(({ id }) => id === only);
  if (chosen.length === 0) {
    throw new UserError(
      `exercise ${chapter.number} has no task ${only}; its tasks are ${tasks.map(({ id }) => id).join(', ')}`,
    );
  }
  const used = seed ?? randomSeed();
  const outcomes = new Set<TaskResult['outcome']>();
  print(bold(`\n  ${chapter.number}. ${chapter.title}\n`));
  for await (const result of checkTasks(chapter, chosen, { seed: used, patience })) {
    show(result);
    outcomes.add(result.outcome);
  }
  print(`${dim(`  to repeat this check: --seed ${used}`)}\n${wrap(next(chapter, outcomes), '  ')}\n`);
  return !outcomes.has('failed');
}

function next(chapter: Chapter, outcomes: ReadonlySet<TaskResult['outcome']>): string {
  const { number } = chapter;
  if (outcomes.has('failed')) return `stuck? learn hint ${number}`;
  if (outcomes.has('skipped')) return 'skipped tasks are not solved yet; the reasons are above';
  const following = chapters().find(({ slug }) => slug > chapter.slug);
  const then = following
    ? `then: learn read ${following.number}`
    : 'that was the last exercise: learn shows your points';
  return `learn solution ${number} shows our solution; ${then}`;
}

/** Prints the result of a task or a stage. */
export function show({ outcome, id, title, points, of, broken, reason }: TaskResult): void {
  const sign = { passed: good(SIGN.passed), failed: bad(SIGN.failed), skipped: SIGN.skipped }[outcome];
  print(`  ${sign} ${bold(id)}: ${title} ${dim(`(${points}/${of})`)}`);
  if (reason !== undefined) print(wrap(reason, '      ', '    skipped: '));
  if (broken !== undefined) {
    print(wrap(broken.promised, '              ', '    promised: '));
    print(wrap(broken.seen, '              ', '    seen:     '));
    print(wrap(broken.look, '              ', '    look at:  '));
    if (broken.said !== undefined) print(`    it said:  ${broken.said.split('\n').join('\n              ')}`);
  }
  print();
}

/** Checks again after each change, until Ctrl-C. */
export async function watch(name: string | undefined, options: CheckOptions): Promise<void> {
  const chapter = chapterToCheck(name);
  let changed = Promise.withResolvers<void>();
  watchFiles(workOn(chapter), () => changed.resolve());
  for (;;) {
    if (process.stdout.isTTY) process.stdout.write('\x1b[2J\x1b[H');
    await checkOnce(chapter, options);
    print(dim('  waiting for a change; Ctrl-C stops'));
    await changed.promise;
    // An editor may write a file several times.
    await sleep(200);
    changed = Promise.withResolvers<void>();
  }
}
