// The cheat that cheats.test.ts tries in a task of every chapter, in all tasks.
import { expect, test } from 'vitest';
import { forger, passed, tasks } from './cheats.ts';

test("a submission that forges the grader's tools and repeats what it hears gets no points in any task", async () => {
  // Without podman and skopeo there are fewer.
  expect(tasks.length).toBeGreaterThan(50);
  expect(await passed('forger', forger, tasks)).toEqual([]);
}, 240_000);
