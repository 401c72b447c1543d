// The starters of `learn capstone init`: each begins the work, and does not do it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Kit } from '../../learn/capstone/kit.ts';
import { initProject, make } from '../../learn/capstone/project.ts';
import { stages } from '../../learn/capstone/stages.ts';
import { tryStage } from './engine.ts';

/** Languages that a machine with the kit's packages has. */
export const QUICK = ['sh', 'python'];

const PATIENCE = 300_000;
const needed: Record<string, string> = { go: 'go', rust: 'rustc', c: 'cc', python: 'python3' };
const isInstalled = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

export function testStarters(languages: readonly string[]): void {
  describe('a starter passes stage 1, and fails stage 3', () => {
    const kit = new Kit();
    const folder = mkdtempSync(join(tmpdir(), 'capstone-starters-'));
    afterAll(() => {
      kit[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    });
    for (const language of languages) {
      const program = needed[language];
      test.skipIf(program !== undefined && !isInstalled(program)).concurrent(
        `in ${language}`,
        async () => {
          const [first, , third] = await stages();
          const directory = initProject(join(folder, language), language);
          make(directory);
          expect((await tryStage(first!, { kit, directory })).broken).toBeUndefined();
          expect((await tryStage(third!, { kit, directory })).broken).toMatchObject({ check: 'image' });
        },
        PATIENCE,
      );
    }
  });
}
