// Grades a stage of a container engine that was written in any language, in a sandbox of its own.
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskResult } from '../grader/exercise.ts';
import { excerptOf, gradeIn } from '../grader/grade.ts';
import { repository } from '../repository.ts';
import { SYSTEM_PATH } from '../sandbox/enter.ts';
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
  /** Whether it may call container engines of the machine. */
  mayCallOthers?: boolean;
}

/** @param options.seed determines the names and values */
export function gradeStage(
  stage: Stage,
  { directory, built, kit, also = [], mayCallOthers = false }: Engine,
  options: { seed: string; patience?: number },
): Promise<TaskResult> {
  return gradeIn(stage, {
    ...options,
    program: [join(built === undefined ? PROJECT : BUILT, stage.file)],
    environment: kitEnvironment,
    sandbox: {
      directory: PROJECT,
      excerpt: { ...excerptOf(also), hidden: mayCallOthers ? [] : otherEngines() },
      placed: [
        ...kit.placed,
        { source: directory, target: PROJECT, as: 'layer' },
        ...(built === undefined ? [] : [{ source: built, target: BUILT, as: 'read-only' } as const]),
      ],
    },
  });
}

/** Programs that would do the work: with one of them, an engine is one line. `docker` stays, the client in the last stage. */
const OTHERS =
  'dockerd docker-proxy docker-init containerd containerd-shim containerd-shim-runc-v1 containerd-shim-runc-v2 ctr runc ' +
  'crun youki podman podman-remote buildah nerdctl skopeo umoci lxc-start lxc-execute lxc-create systemd-nspawn bwrap ' +
  'apptainer singularity proot minijail0 firejail mini-docker mini-docker-runtime';

function otherEngines(): string[] {
  const places = SYSTEM_PATH.split(':').filter(place => existsSync(place) && realpathSync(place) === place);
  return places
    .flatMap(place => OTHERS.split(' ').map(name => join(place, name)))
    .filter(path => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
}
