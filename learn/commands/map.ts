// `learn`: the map of the course, with the learner's progress.
import { bold, dim, good, print, SIGN, width, wrap } from '../screen.ts';
import { standings } from '../standing.ts';

export async function map(): Promise<void> {
  let next: string | undefined;
  let [all, points] = [0, 0];
  // Beside the title there are a sign, two numbers and spaces: at most 18 columns.
  const column = Math.min(50, width() - 18);
  print(bold('\n  mini-docker: from one system call to a working Docker\n'));
  for (const { chapter, reached, of, started } of await standings()) {
    all += of;
    points += reached;
    const finished = of > 0 && reached === of;
    const sign = finished ? good(SIGN.passed) : started ? '▸' : SIGN.open;
    if (!finished) next ??= `${started ? 'learn check' : 'learn read'} ${chapter.number}`;
    const tally = started || reached > 0 ? `${reached}/${of}` : dim(`${of} points`);
    print(`  ${sign} ${String(chapter.number).padStart(2)}  ${chapter.title.padEnd(column)} ${tally}`);
  }
  print(`\n  ${points} of ${all} points.${next === undefined ? ' All done!' : ` Next: ${bold(next)}`}\n`);
  print(dim(wrap('✓ done, ▸ started, · to come; learn --help lists all commands', '  ')));
  print();
}
