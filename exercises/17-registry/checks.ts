// The checks of exercise 17: a blob that arrives in pieces, and a registry for clients of three kinds.
import type { Exercise } from '../../learn/grader/exercise.ts';
import { checkMiniDocker, checkSkopeo } from './check-clients.ts';
import { checkFetch } from './check-fetch.ts';
import { checkRegistry } from './check-registry.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'fetch', title: 'A blob in pieces', points: 4, file: 'fetch.ts', check: checkFetch },
    {
      id: 'registry',
      title: 'A registry',
      points: 5,
      file: 'registry.ts',
      timeLimit: 30_000,
      check: checkRegistry,
    },
    {
      id: 'skopeo',
      title: 'A guest: skopeo',
      points: 2,
      file: 'registry.ts',
      needsProgram: 'skopeo',
      timeLimit: 30_000,
      check: checkSkopeo,
    },
    {
      id: 'mini-docker',
      title: 'Another guest: mini-docker',
      points: 2,
      file: 'registry.ts',
      needsGroups: true,
      needsEngine: true,
      timeLimit: 40_000,
      check: checkMiniDocker,
    },
  ],
};
