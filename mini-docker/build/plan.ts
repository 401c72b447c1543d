// Decides which stages a build needs, what each one waits for, and how the steps are numbered: pure.

import { decodeCsvLine } from '../formats/csv.ts';
import type { Dockerfile, Stage } from '../formats/dockerfile/dockerfile.ts';
import { quietly } from '../formats/quietly.ts';
import { meant } from '../formats/typo.ts';
import { BuildError } from './errors.ts';

export interface PlannedStage {
  stage: Stage;
  /** The base that FROM names: the number of an earlier stage, or an image. */
  base: number | { image: string };
  /** Number of the step of its FROM, counted from 1. */
  firstStep: number;
}

export interface Plan {
  target: number;
  /** The needed stages, in the order of the Dockerfile. */
  stages: PlannedStage[];
  /** Number of steps in the whole build. */
  total: number;
}

/**
 * Plans the build of a target.
 * @param baseOf gives FROM's name with variables expanded
 * @throws BuildError when there is no such target; DockerfileError when a needed instruction has an
 * unsupported flag
 */
export function planBuild(
  { stages, globals }: Dockerfile,
  { target: targetName, baseOf }: { target: string | undefined; baseOf(stage: Stage): string },
): Plan {
  const target = targetName === undefined ? stages.length - 1 : findTarget(stages, targetName);
  const needed = new Map<number, PlannedStage['base']>();
  const visit = (index: number) => {
    if (needed.has(index)) return;
    const stage = stages[index]!;
    for (const each of stage.instructions) if (each.kind === 'refused') throw each.error;
    const image = baseOf(stage);
    const base = stageNamed(stages, image, index) ?? { image };
    needed.set(index, base);
    if (typeof base === 'number') visit(base);
    for (const each of copiedFrom(stages, index)) visit(each);
  };
  visit(target);
  let step = globals.length + 1;
  const planned = [...needed]
    .sort(([a], [b]) => a - b)
    .map(([index, base]): PlannedStage => {
      const stage = stages[index]!;
      const firstStep = step;
      step += 1 + stage.instructions.length;
      return { stage, base, firstStep };
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

/**
 * The number of the stage with this name (or this number, as COPY --from allows) among those before
 * `before`.
 */
export function stageCalled(stages: readonly Stage[], name: string, before: number): number | undefined {
  const named = stageNamed(stages, name, before);
  return named ?? (/^\d+$/.test(name) && Number(name) < before ? Number(name) : undefined);
}

function stageNamed(stages: readonly Stage[], name: string, before: number): number | undefined {
  const found = stages.slice(0, before).findLastIndex(each => each.name === name.toLowerCase());
  return found < 0 ? undefined : found;
}

function copiedFrom(stages: readonly Stage[], index: number): number[] {
  const names = stages[index]!.instructions.flatMap(each => {
    if (each.kind === 'copy') return each.from === undefined ? [] : [each.from];
    return each.kind === 'run' ? each.mounts.flatMap(mountSource) : [];
  });
  const found = names.map(name => stageCalled(stages, name, index)).filter(each => each !== undefined);
  // A variable gets its value only when the step runs, so it may name any earlier stage.
  if (names.some(name => name.includes('$'))) found.push(...stages.slice(0, index).keys());
  return found;
}

function mountSource(mount: string): string[] {
  return (
    quietly(() => decodeCsvLine(mount).flatMap(each => (each.startsWith('from=') ? [each.slice(5)] : []))) ??
    []
  );
}
