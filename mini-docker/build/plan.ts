// Which stages of a Dockerfile a build needs, what each waits for, and how its steps are numbered: pure.

import { decodeCsvLine } from '../formats/csv.ts';
import type { Dockerfile, Stage } from '../formats/dockerfile/dockerfile.ts';
import { meant } from '../formats/typo.ts';
import { BuildError } from './errors.ts';

export interface PlannedStage {
  stage: Stage;
  /** Stages that have to be built before, or meanwhile. */
  needs: number[];
  /** The number of its FROM, counted from 1. */
  firstStep: number;
}

export interface Plan {
  target: number;
  /** In the order of the Dockerfile. */
  stages: PlannedStage[];
  /** Steps of the whole build. */
  total: number;
}

/** Throws BuildError when there is no such target. */
export function planBuild(dockerfile: Dockerfile, targetName: string | undefined): Plan {
  const { stages, globals } = dockerfile;
  const target = targetName === undefined ? stages.length - 1 : findTarget(stages, targetName);
  const needed = new Map<number, number[]>();
  const visit = (index: number) => {
    if (needed.has(index)) return;
    const needs = neededBy(stages, index);
    needed.set(index, needs);
    for (const each of needs) visit(each);
  };
  visit(target);
  let step = globals.length + 1;
  const planned = [...needed]
    .sort(([a], [b]) => a - b)
    .map(([index, needs]): PlannedStage => {
      const stage = stages[index]!;
      const firstStep = step;
      step += 1 + stage.instructions.length;
      return { stage, needs, firstStep };
    });
  return { target, stages: planned, total: step - 1 };
}

function findTarget(stages: readonly Stage[], name: string): number {
  const found = stageCalled(stages, name, stages.length);
  if (found !== undefined) return found;
  const names = stages.flatMap(each => (each.name === undefined ? [] : [each.name]));
  const guess = meant(name.toLowerCase(), names);
  const hint = guess === undefined ? '' : `; did you mean ${guess}?`;
  throw new BuildError(`target stage ${JSON.stringify(name)} could not be found${hint}`);
}

/** The stage of a name or a number, among those above `before`. */
export function stageCalled(stages: readonly Stage[], name: string, before: number): number | undefined {
  const above = stages.slice(0, before);
  const named = above.findLastIndex(each => each.name === name.toLowerCase());
  if (named >= 0) return named;
  return /^\d+$/.test(name) && Number(name) < above.length ? Number(name) : undefined;
}

function neededBy(stages: readonly Stage[], index: number): number[] {
  const { from, instructions } = stages[index]!;
  const names = instructions.flatMap(each => {
    if (each.kind === 'copy') return each.from === undefined ? [] : [each.from];
    return each.kind === 'run' ? each.mounts.flatMap(mountSource) : [];
  });
  const base = stages.slice(0, index).findLastIndex(each => each.name === from.image.toLowerCase());
  const found = names.map(name => stageCalled(stages, name, index)).filter(each => each !== undefined);
  // What a variable stands for is known when the step is run: it may be any.
  if (names.some(name => name.includes('$'))) found.push(...stages.slice(0, index).keys());
  return [...new Set(base < 0 ? found : [base, ...found])];
}

function mountSource(mount: string): string[] {
  try {
    return decodeCsvLine(mount).flatMap(each => (each.startsWith('from=') ? [each.slice(5)] : []));
  } catch {
    return [];
  }
}
