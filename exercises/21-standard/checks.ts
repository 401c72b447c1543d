// The checks of exercise 21: hooks, a runtime that can pause, and an engine that uses it.
import type { Exercise } from '../../learn/grader/exercise.ts';
import { checkHooks } from './check-hooks.ts';
import { checkEngine, checkPause } from './check-runtime.ts';

export const exercise: Exercise = {
  tasks: [
    {
      id: 'hooks',
      title: 'Hooks',
      points: 4,
      file: 'hooks.ts',
      needsRoot: true,
      timeLimit: 30_000,
      check: checkHooks,
    },
    {
      id: 'pause',
      title: 'A state of your own',
      points: 4,
      file: 'runtime.ts',
      needsGroups: true,
      timeLimit: 60_000,
      check: checkPause,
    },
    {
      id: 'engine',
      title: 'A guest: podman',
      points: 3,
      file: 'runtime.ts',
      needsGroups: true,
      needsProgram: 'podman',
      timeLimit: 60_000,
      check: checkEngine,
    },
  ],
};
