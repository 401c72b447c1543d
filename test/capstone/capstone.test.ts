// The capstone's own tests: pages, starters, a right engine and wrong ones, of which the long test has all.
import { afterAll, describe, expect, test } from 'vitest';
import { Kit } from '../../learn/capstone/kit.ts';
import { stageNamed, stages } from '../../learn/capstone/stages.ts';
import { tryForeign, tryScript } from './engine.ts';
import { scriptOf, stageMutants } from './mutants.ts';
import { QUICK, testStarters } from './starters.ts';

const PATIENCE = 300_000;
const all = await stages();
const kit = new Kit();
afterAll(() => kit[Symbol.dispose]());

describe('the stages', () => {
  test('are numbered without a gap, and there are at least 24', () => {
    expect(all.map(({ number }) => number)).toEqual(all.map((_, at) => at + 1));
    expect(all.length).toBeGreaterThanOrEqual(24);
  });

  test('each have a title, a page that names a chapter, and two hints or more', () => {
    const poor = all.filter(({ id, title, page, hints }) => {
      const explained = /\*\*Where it is explained:\*\* .*`learn read \d/.test(page);
      return title === id || !explained || page.length < 300 || hints.length < 2;
    });
    expect(poor.map(({ id }) => id)).toEqual([]);
  });

  test('have three mutants or more each', () => {
    const few = all.filter(({ number }) => stageMutants.filter(({ stage }) => stage === number).length < 3);
    expect(few.map(({ id }) => id)).toEqual([]);
  });
});

testStarters(QUICK);

describe('mini-docker passes', () => {
  for (const name of ['exec', 'pull']) {
    const stage = stageNamed(all, name);
    test.concurrent(
      `stage ${stage.id}`,
      async () => expect((await tryForeign(stage, 'mini-docker', kit)).broken).toBeUndefined(),
      PATIENCE,
    );
  }
});

describe('an engine that believes', () => {
  for (const mutant of stageMutants.filter(({ stage }) => stage === 1)) {
    test.concurrent(
      `${mutant.belief} fails stage ${mutant.stage}`,
      async () => {
        const result = await tryScript(all[mutant.stage - 1]!, scriptOf(mutant), kit);
        expect(result.broken ?? result.outcome).toMatchObject({ check: mutant.breaks });
      },
      PATIENCE,
    );
  }
});
