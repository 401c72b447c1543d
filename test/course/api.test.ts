// `learn api` and `learn answers`: what a learner looks up.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { entries, manPages } from '../../learn/api.ts';
import { questionsOf } from '../../learn/questions.ts';
import { repository } from '../../learn/repository.ts';
import * as linux from '../../mini-docker/linux/linux.ts';

const learn = (...args: string[]) => spawnSync(join(repository, 'bin/learn'), args, { encoding: 'utf8' });

describe('learn api', () => {
  test('knows all that #linux exports, each with its declaration', () => {
    const all = entries();
    const names = new Set(all.map(({ name }) => name));
    expect(Object.keys(linux).filter(name => !names.has(name))).toEqual([]);
    expect(all.filter(({ signature, name }) => !signature.includes(name))).toEqual([]);
  });

  test('every system call has its page of the manual', () => {
    const calls = entries().filter(
      ({ file, signature }) => file.endsWith('/syscalls.ts') && /syscall\(/.test(signature),
    );
    expect(calls.length).toBeGreaterThan(80);
    expect(calls.filter(entry => manPages(entry).length === 0)).toEqual([]);
  });

  test('shows signature, manual and an example from a chapter', () => {
    const { stdout } = learn('api', 'clone');
    expect(stdout).toContain('export function clone(flags: number, items: readonly Item[]): number');
    expect(stdout).toContain('clone(2)');
    expect(stdout).toMatch(/chapters\/01-process\/box\.ts` line \d+/);
  });

  test('a name that is not there is an error that names those like it', () => {
    const { status, stderr } = learn('api', 'pivot');
    expect(status).toBe(1);
    expect(stderr).toContain('did you mean pivotRoot?');
  });
});

describe('learn answers', () => {
  test.each(globSync('chapters/*/answers.md', { cwd: repository }).sort())(
    '%s has an answer for each question',
    file => {
      const read = (name: string) => readFileSync(join(repository, dirname(file), name), 'utf8');
      expect(questionsOf(read('answers.md')).length).toBe(questionsOf(read('README.md')).length);
      expect(questionsOf(read('README.md')).length).toBeGreaterThan(1);
    },
  );

  test('every chapter has answers', () => {
    const without = globSync('chapters/*', { cwd: repository }).filter(
      chapter => globSync(`${chapter}/answers.md`, { cwd: repository }).length === 0,
    );
    expect(without).toEqual([]);
  });
});
