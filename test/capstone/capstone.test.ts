// The capstone's own tests: pages, starters, a right engine and wrong ones, of which the long test has all.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Kit } from '../../learn/capstone/kit.ts';
import { initProject, languages, make } from '../../learn/capstone/project.ts';
import { stageNamed, stages } from '../../learn/capstone/stages.ts';
import { tryForeign, tryScript, tryStage } from './engine.ts';
import { scriptOf, stageMutants } from './mutants.ts';

const PATIENCE = 300_000;
const all = await stages();
const kit = new Kit();
const folder = mkdtempSync(join(tmpdir(), 'capstone-test-'));
afterAll(() => {
  kit[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const needed: Record<string, string> = { go: 'go', rust: 'rustc', c: 'cc', python: 'python3' };
const isInstalled = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

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

describe('a starter passes stage 1, and fails stage 3', () => {
  for (const language of languages()) {
    const program = needed[language];
    test.skipIf(program !== undefined && !isInstalled(program)).concurrent(
      `in ${language}`,
      async () => {
        const directory = initProject(join(folder, language), language);
        make(directory);
        expect((await tryStage(all[0]!, { kit, directory })).broken).toBeUndefined();
        expect((await tryStage(all[2]!, { kit, directory })).broken).toMatchObject({ check: 'image' });
      },
      PATIENCE,
    );
  }
});

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

test(
  'the programs of the chapters pass a stage',
  async () => {
    expect((await tryForeign(stageNamed(all, 'process-one'), 'chapters', kit)).broken).toBeUndefined();
  },
  PATIENCE,
);

describe('an engine that believes', () => {
  for (const mutant of stageMutants.filter(({ stage, breaks }) => stage === 1 || breaks === 'read-only')) {
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
