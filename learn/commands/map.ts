// `learn`: the map of the course, with the learner's progress.
import { existsSync } from 'node:fs';
import { chapters, exerciseOf } from '../course.ts';
import { bold, dim, good, print, SIGN } from '../screen.ts';
import { readProgress, workOn } from '../work.ts';

export async function map(): Promise<void> {
  const { passed } = readProgress();
  let next: string | undefined;
  let [all, reached] = [0, 0];
  print(bold('\n  mini-docker: from one system call to a working Docker\n'));
  for (const chapter of chapters()) {
    const { tasks } = await exerciseOf(chapter);
    const done = tasks.filter(({ id }) => passed[`${chapter.slug}/${id}`] !== undefined);
    const [points, of] = [done, tasks].map(some => some.reduce((sum, task) => sum + task.points, 0)) as [
      number,
      number,
    ];
    all += of;
    reached += points;
    const finished = tasks.length > 0 && done.length === tasks.length;
    const started = existsSync(workOn(chapter));
    const sign = finished ? good(SIGN.passed) : started ? '▸' : SIGN.open;
    if (!finished) next ??= `${started ? 'learn check' : 'learn read'} ${chapter.number}`;
    const tally = started || points > 0 ? `${points}/${of}` : dim(`${of} points`);
    print(`  ${sign} ${String(chapter.number).padStart(2)}  ${chapter.title.padEnd(50)} ${tally}`);
  }
  print(`\n  ${reached} of ${all} points.${next === undefined ? ' All done!' : ` Next: ${bold(next)}`}\n`);
  print(dim('  ✓ done   ▸ started   · to come          learn --help lists all commands\n'));
}
