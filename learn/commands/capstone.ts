// `learn capstone`: a container engine of one's own, in any language, tested stage by stage.
import { watch as watchFiles } from 'node:fs';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { count } from '../capstone/certificate.ts';
import { isFinished, whatWasBuilt } from '../capstone/finish.ts';
import { gradeStage } from '../capstone/grade.ts';
import { Kit } from '../capstone/kit.ts';
import {
  capstoneProgress,
  changeProgress,
  existingProject,
  initProject,
  isProject,
  make,
  projectFolder,
} from '../capstone/project.ts';
import { type Stage, stageNamed, stages } from '../capstone/stages.ts';
import { UserError } from '../course.ts';
import { render } from '../markdown.ts';
import { page } from '../page.ts';
import { bold, dim, good, print, SIGN, wrap } from '../screen.ts';
import { show } from './check.ts';

export interface CapstoneOptions {
  stage?: string;
  seed?: string;
  patience?: number;
}

/** The map, with the progress. */
export async function capstoneMap(named: string | undefined): Promise<void> {
  const folder = projectFolder(named);
  const all = await stages();
  print(bold('\n  Your own Docker\n'));
  if (!isProject(folder)) {
    for (const { number, title } of all) print(`  ${SIGN.open} ${String(number).padStart(2)}  ${title}`);
    print(
      `\n  ${all.length} stages, in any language. Next:\n  ${bold('learn capstone init --language python')}\n`,
    );
    return;
  }
  const { passed, skipped } = capstoneProgress(folder);
  const next = all.find(({ id }) => passed[id] === undefined && skipped[id] === undefined);
  for (const stage of all) {
    const sign = passed[stage.id]
      ? good(SIGN.passed)
      : skipped[stage.id]
        ? SIGN.skipped
        : stage === next
          ? '▸'
          : SIGN.open;
    const reason = passed[stage.id] ? '' : (skipped[stage.id] ?? '');
    print(`  ${sign} ${String(stage.number).padStart(2)}  ${stage.title}${reason && dim(`  ${reason}`)}`);
  }
  const where = relative(process.cwd(), folder) || '.';
  const done = all.filter(({ id }) => passed[id] !== undefined).length;
  print(`\n  ${done} of ${count(all.length, 'stage')}, in ${where}`);
  if (next === undefined) print(`  All done! ${bold("learn certificate --name 'Your Name'")}\n`);
  else print(`  Next: ${bold(`learn capstone read ${next.number}`)}, then learn capstone check\n`);
}

export async function init(
  named: string | undefined,
  { language = 'ts' }: { language?: string },
): Promise<void> {
  const folder = initProject(named, language);
  const where = relative(process.cwd(), folder) || '.';
  print(`${where}/README.md has the rules; the starter there passes stage 1:`);
  print(`  ${bold('learn capstone check')}   checks all stages up to the first that fails`);
  print(`  ${bold('learn capstone read 2')}  shows what comes next`);
}

/** The stage that is named, or else the first that has not passed. */
async function stageOf(folder: string, name: string | undefined): Promise<Stage> {
  const all = await stages();
  if (name !== undefined) return stageNamed(all, name);
  const { passed, skipped } = capstoneProgress(folder);
  return all.find(({ id }) => passed[id] === undefined && skipped[id] === undefined) ?? all.at(-1)!;
}

export async function readStage(name: string | undefined): Promise<void> {
  page(render((await stageOf(projectFolder(undefined), name)).page));
}

export async function stageHint(named: string | undefined, { stage: name }: CapstoneOptions): Promise<void> {
  const folder = existingProject(named);
  const { id, number, title, hints } = await stageOf(folder, name);
  const level = Math.min((capstoneProgress(folder).hints[id] ?? 0) + 1, hints.length);
  print(bold(`\nStage ${number}. ${title}: hint ${level} of ${hints.length}\n`));
  print(render(hints[level - 1]!));
  print(dim(level < hints.length ? 'the same command shows the next hint' : 'that was the last hint'));
  changeProgress(folder, progress => {
    progress.hints[id] = level;
  });
}

export async function checkStages(named: string | undefined, options: CapstoneOptions): Promise<void> {
  if (!(await checkOnce(existingProject(named), options))) process.exitCode = 1;
}

/** Checks one stage, or all up to the first that fails. @returns whether none failed */
async function checkOnce(
  folder: string,
  { stage: name, seed, patience = 1 }: CapstoneOptions,
): Promise<boolean> {
  const all = await stages();
  const chosen = name === undefined ? all : [stageNamed(all, name)];
  const used = seed ?? String(Math.floor(Math.random() * 1e9));
  const finishedBefore = isFinished(capstoneProgress(folder), all);
  make(folder);
  using kit = new Kit();
  print();
  let failed: Stage | undefined;
  for (const stage of chosen) {
    const result = await gradeStage(stage, { directory: folder, kit }, { seed: used, patience });
    show({ ...result, id: `${stage.number}` });
    changeProgress(folder, ({ passed, skipped }) => {
      if (result.outcome === 'passed') passed[stage.id] ??= new Date().toISOString();
      delete skipped[stage.id];
      if (result.outcome === 'skipped') skipped[stage.id] = result.reason ?? '';
    });
    if (result.outcome !== 'failed') continue;
    failed = stage;
    break;
  }
  const progress = changeProgress(folder, each => {
    each.checks++;
  });
  print(dim(`  to repeat this check: --seed ${used}`));
  if (failed !== undefined) {
    const { number } = failed;
    print(
      `  learn capstone read ${number} says what is asked for\n  stuck? learn capstone hint --stage ${number}\n`,
    );
  } else if (!finishedBefore && isFinished(progress, all)) await celebrate(folder);
  else print('  learn capstone shows the map\n');
  return failed === undefined;
}

/** The last page. */
async function celebrate(folder: string): Promise<void> {
  const built = whatWasBuilt(folder, capstoneProgress(folder), await stages());
  const calls =
    built.calls.length === 0 ? 'none by name: other programs make them for you' : built.calls.join(' ');
  print(bold(`\n  You have built a container engine.\n`));
  print(
    `  ${count(built.stages.length, 'stage')} of ${built.of} passed, ${count(built.checks, 'check')}, ${count(built.hints, 'hint')}`,
  );
  print(
    `  ${count(built.lines, 'line')} in ${count(built.files, 'file')}, from ${built.from} to ${built.to}`,
  );
  print(wrap(calls, '                ', '  system calls: '));
  print(`\n  ${bold("learn certificate --name 'Your Name'")}  writes it down`);
  print(`  ${bold('learn tour')}  how mini-docker does the same, in twelve stops`);
  print('  ARCHITECTURE.md  the map of mini-docker/, and CONTRIBUTING.md: good first changes\n');
}

/** Checks again after each change, until Ctrl-C. */
export async function watchStages(named: string | undefined, options: CapstoneOptions): Promise<void> {
  const folder = existingProject(named);
  let changed = Promise.withResolvers<void>();
  // Neither the progress nor what make writes is the learner's change.
  watchFiles(folder, { recursive: true }, (_, name) => {
    if (!/^\.capstone|^my-docker$|^target\//.test(name ?? '')) changed.resolve();
  });
  for (;;) {
    if (process.stdout.isTTY) process.stdout.write('\x1b[2J\x1b[H');
    await checkOnce(folder, options).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      print(error.message);
    });
    print(dim('  waiting for a change; Ctrl-C stops'));
    await changed.promise;
    await sleep(200);
    changed = Promise.withResolvers<void>();
  }
}
