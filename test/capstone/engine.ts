// Engines that are tried in the stages: foreign ones through adapters, a starter, or a program with a mistake.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gradeStage } from '../../learn/capstone/grade.ts';
import type { Kit } from '../../learn/capstone/kit.ts';
import type { Stage } from '../../learn/capstone/stages.ts';
import type { TaskResult } from '../../learn/grader/exercise.ts';
import { ENGINE } from '../../learn/grader/grade.ts';

export type Foreign = 'mini-docker' | 'docker' | 'podman' | 'chapters';

/** Parts of the course's folder that the adapters need. */
const also: Record<Foreign, readonly string[]> = {
  'mini-docker': ENGINE,
  docker: [],
  podman: [],
  chapters: ['chapters'],
};

export const engines = join(import.meta.dirname, 'engines');

/** COURSE_SEED repeats a run. */
const seed = process.env.COURSE_SEED ?? `${Math.floor(Math.random() * 1e9)}`;

interface Trial {
  kit: Kit;
  /** The folder of the engine. */
  directory: string;
  /** Whose parts of the course's folder it sees. */
  as?: Foreign;
}

export async function tryStage(stage: Stage, { kit, directory, as }: Trial): Promise<TaskResult> {
  const engine = { directory, kit, also: as === undefined ? [] : also[as], mayCallOthers: as !== undefined };
  return gradeStage(stage, engine, { seed, patience: 10 });
}

export const tryForeign = (stage: Stage, as: Foreign, kit: Kit): Promise<TaskResult> =>
  tryStage(stage, { kit, directory: join(engines, as), as });

/** Puts a shell script in the place of an engine. */
export async function tryScript(stage: Stage, script: string, kit: Kit): Promise<TaskResult> {
  const directory = mkdtempSync(join(tmpdir(), 'capstone-mutant-'));
  try {
    writeFileSync(join(directory, 'my-docker'), script, { mode: 0o755 });
    return await tryStage(stage, { kit, directory, as: 'mini-docker' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
