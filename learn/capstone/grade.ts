// Grades a stage of a container engine that was written in any language, in a sandbox of its own.
import { join } from 'node:path';
import type { TaskResult } from '../grader/exercise.ts';
import { excerptOf, gradeIn } from '../grader/grade.ts';
import { repository } from '../repository.ts';
import { type Kit, kitEnvironment } from './kit.ts';
import type { Stage } from './stages.ts';

/** Where the engine's folder lies in the sandbox: below the course's, so that `#linux` is found from there. */
export const PROJECT = join(repository, 'work/capstone');
const BUILT = '/capstone/built';

export interface Engine {
  /** The folder with its program. */
  directory: string;
  /** The folder with the program that was built of it, if that is another one. */
  built?: string | undefined;
  kit: Kit;
  /** Further parts of the course's folder that it may read. */
  also?: readonly string[];
}

/** @param options.seed determines the names and values */
export function gradeStage(
  stage: Stage,
  { directory, built, kit, also = [] }: Engine,
  options: { seed: string; patience?: number },
): Promise<TaskResult> {
  return gradeIn(stage, {
    ...options,
    program: [join(built === undefined ? PROJECT : BUILT, stage.file)],
    environment: kitEnvironment,
    sandbox: {
      directory: PROJECT,
      excerpt: excerptOf(also),
      placed: [
        ...kit.placed,
        { source: directory, target: PROJECT, as: 'layer' },
        ...(built === undefined ? [] : [{ source: built, target: BUILT, as: 'read-only' } as const]),
      ],
    },
  });
}
