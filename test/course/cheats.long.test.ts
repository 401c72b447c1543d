// The cheat that cheats.test.ts tries in a task of every chapter, in all tasks.
import { expect, test } from 'vitest';
import { forger, passed, tasks } from './cheats.ts';

test("a submission that forges the grader's tools and repeats what it hears gets no points in any task", async () => {
  expect(tasks.length).toBeGreaterThan(60);
  expect(await passed('forger', forger, tasks)).toEqual([]);
}, 240_000);
