// Submissions that do not solve anything, and look for the points elsewhere: each task gives them none.
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exerciseOf } from '../../learn/course.ts';
import { askedFor, handedIn, missing } from '../../learn/grader/submission.ts';
import { repository } from '../../learn/repository.ts';
import { folder, forger, impostor, passed, tasks, thief } from './cheats.ts';

describe('no points for a submission that', () => {
  test('looks for the solutions', async () => {
    const some = ['strangers', 'way-out', 'stages'].map(id => tasks.find(({ task }) => task.id === id)!);
    expect(await passed('thief', thief, some)).toEqual([]);
  }, 120_000);

  test('puts a program of its own over mini-docker', async () => {
    const some = tasks.filter(({ task }) => task.needsEngine);
    expect(some.length).toBeGreaterThan(0);
    expect(await passed('impostor', impostor, some)).toEqual([]);
  }, 120_000);

  // cheats.long.test.ts: all other tasks
  test("forges the grader's tools and repeats what it hears, in a task of every chapter", {
    tags: 'further',
    timeout: 120_000,
  }, async () => {
    const firsts = tasks.filter(({ chapter }, at) => tasks[at - 1]?.chapter.slug !== chapter.slug);
    expect(firsts.length).toBeGreaterThan(20);
    expect(await passed('forger', forger, firsts)).toEqual([]);
  });
});

test('a folder that is a symbolic link, to the solutions or to what others have handed in, is not handed in', async () => {
  const cheat = join(folder, 'linked');
  mkdirSync(cheat);
  symlinkSync(join(repository, 'solutions/00-machine'), join(cheat, '00-machine'));
  mkdirSync(join(cheat, '01-process'));
  symlinkSync(join(repository, 'solutions/01-process/redirect.ts'), join(cheat, '01-process/redirect.ts'));
  const handed = handedIn([cheat]);
  const [chapter] = askedFor(handed, []);
  expect([...handed[0]!.chapters.keys()].map(({ slug }) => slug)).toEqual(['01-process']);
  const { tasks } = await exerciseOf(chapter!);
  expect(missing(tasks[0]!, chapter!, join(cheat, '01-process'))?.broken?.check).toBe('handed-in');
});
