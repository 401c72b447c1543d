// The stages are right: engines of other hands pass them, as far as they have what is asked for. And they are sharp:
// every engine with a mistake fails the stage that is about it, by the promise that it breaks.
import { afterAll, describe, expect, test } from 'vitest';
import { Kit } from '../../learn/capstone/kit.ts';
import { stages } from '../../learn/capstone/stages.ts';
import { hasProgram } from '../support/foreign-clients.ts';
import { type Foreign, tryForeign, tryScript } from './engine.ts';
import { scriptOf, stageMutants } from './mutants.ts';

const PATIENCE = 900_000;
const all = await stages();
const kit = new Kit();
afterAll(() => kit[Symbol.dispose]());

/** What an engine does not have, by stage. */
const lacking: Record<Foreign, Record<number, string>> = {
  'mini-docker': {},
  docker: { 27: 'its daemon has one map of users for all containers, and run has no option for it' },
  podman: {
    11: 'its process 1 for --init is a package of its own',
    25: 'its filter lets a container make user namespaces',
    26: 'it does not make a working directory that is missing',
    28: 'names need a plugin, and networks a directory of the machine',
    30: "docker's client does not get the exit code of a container with --rm",
  },
  chapters: {
    6: 'its box has no /dev/shm',
    13: 'it ignores the Entrypoint of an image',
    14: 'lo stays down with --net none',
    18: 'its daemon shows whole logs',
    26: 'run has no --user',
    27: 'its user namespaces are for ordinary users',
    28: 'there is one network',
  },
};

const isThere: Record<Foreign, boolean> = {
  'mini-docker': true,
  docker: hasProgram('dockerd') && hasProgram('docker'),
  podman: hasProgram('podman'),
  chapters: hasProgram('docker'),
};

for (const [engine, without] of Object.entries(lacking) as [Foreign, Record<number, string>][]) {
  describe.skipIf(!isThere[engine])(`${engine} passes`, () => {
    for (const stage of all) {
      if (without[stage.number] !== undefined) continue;
      test(
        `stage ${stage.id}`,
        async context => {
          const result = await tryForeign(stage, engine, kit);
          if (result.outcome === 'skipped') context.skip(result.reason);
          expect(result.broken).toBeUndefined();
        },
        PATIENCE,
      );
    }
  });
}

describe('an engine that believes', () => {
  for (const mutant of stageMutants) {
    test(
      `${mutant.belief} breaks ${mutant.breaks} of stage ${mutant.stage}`,
      async context => {
        const result = await tryScript(all[mutant.stage - 1]!, scriptOf(mutant), kit);
        if (result.outcome === 'skipped') context.skip(result.reason);
        expect(result.broken ?? result.outcome).toMatchObject({ check: mutant.breaks });
      },
      PATIENCE,
    );
  }
});
