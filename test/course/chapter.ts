// All that a chapter promises: its README's code and transcripts, its starters, solutions and mutants.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { starterFiles } from '../../learn/course.ts';
import type { Exercise, Task, TaskResult } from '../../learn/grader/exercise.ts';
import { gradeTask } from '../../learn/grader/grade.ts';
import { hintsOf } from '../../learn/hints.ts';
import { repository } from '../../learn/repository.ts';
import type { Mutant } from './mutant.ts';
import { type Block, blocksOf, isDifference, isTakenFrom } from './readme.ts';
import { testTranscripts } from './transcripts.ts';

const MOST_LINES_TO_WRITE = 40;
/** Milliseconds for one submission, on a machine that does much else. */
const PATIENCE = 90_000;
const read = (...path: string[]): string => readFileSync(join(repository, ...path), 'utf8');

interface Chapter {
  /** '02-pid-namespace' */
  chapter: string;
  blocks: readonly Block[];
  exercise: Exercise;
  mutants: readonly Mutant[];
}

async function load(chapter: string): Promise<Chapter> {
  const { exercise } = await import(join(repository, 'exercises', chapter, 'checks.ts'));
  const { mutants } = await import(join(repository, 'test/mutants', chapter, 'mutants.ts'));
  return { chapter, blocks: blocksOf(read('chapters', chapter, 'README.md')), exercise, mutants };
}

/**
 * All but what takes long: one mutant, and none of the transcripts unless `transcripts` says so.
 * @param chapter '02-pid-namespace'
 */
export async function testChapter(chapter: string, options: { transcripts?: boolean } = {}): Promise<void> {
  const { blocks, exercise, mutants } = await load(chapter);
  describe('the README', () => {
    testCode(chapter, blocks);
    if (options.transcripts) testTranscripts(blocks);
  });
  describe('the exercise', () => {
    testStarters(chapter, exercise);
    for (const task of exercise.tasks) {
      const own = mutants.filter(each => each.task === task.id);
      describe(`task ${task.id}`, () => {
        if (task === exercise.tasks[0]) testStarter(chapter, task);
        testSolution(chapter, task);
        test('there are two mutants or more', () => {
          expect(own.length).toBeGreaterThanOrEqual(2);
        });
        testMutants(
          chapter,
          task,
          own.filter(each => each === mutants[0]),
        );
      });
    }
    test('every mutant belongs to a task', () => {
      const ids = exercise.tasks.map(({ id }) => id);
      expect(mutants.filter(({ task }) => !ids.includes(task))).toEqual([]);
    });
  });
}

/** The transcripts, all starters and all mutants. */
export async function testWholeChapter(chapter: string): Promise<void> {
  const { blocks, exercise, mutants } = await load(chapter);
  testTranscripts(blocks);
  for (const task of exercise.tasks) {
    const own = mutants.filter(each => each.task === task.id);
    describe(`task ${task.id}`, () => {
      testStarter(chapter, task);
      testMutants(chapter, task, own);
    });
  }
}

const WIDEST_PICTURE = 76;

function testCode(chapter: string, blocks: readonly Block[]): void {
  const file = (name: string): string => read('chapters', chapter, name);
  test(`pictures fit a screen of 80 columns`, () => {
    const wide = blocks.filter(({ language }) => language === 'text').flatMap(({ lines }) => lines);
    expect(wide.filter(line => [...line].length > WIDEST_PICTURE)).toEqual([]);
  });
  for (const block of blocks) {
    const { language, attributes, lines, line } = block;
    const [from, to, whole] = [attributes.get('from'), attributes.get('to'), attributes.get('file')];
    if (language === 'ts' || language === 'sh') {
      test(`the code at line ${line} is that of ${whole ?? from}`, () => {
        if (whole !== undefined) expect(`${lines.join('\n')}\n`).toBe(file(whole));
        else
          expect(
            isTakenFrom(lines, file(from ?? 'box.ts')),
            `${from ?? 'box.ts'} has no\n${lines.join('\n')}`,
          ).toBe(true);
      });
    } else if (language === 'diff') {
      test(`the difference at line ${line} is that from ${from} to ${to}`, () => {
        expect(isDifference(lines, file(from!), file(to!)), lines.join('\n')).toBe(true);
      });
    }
  }
}

function testStarters(chapter: string, exercise: Exercise): void {
  test('the exercise says its tasks, and each has three hints', () => {
    const readme = read('exercises', chapter, 'README.md');
    const hints = hintsOf(read('exercises', chapter, 'hints.md'));
    for (const { id } of exercise.tasks) {
      expect(readme, `README.md names ${id}`).toContain(id);
      expect(hints.get(id)?.length, `hints.md: ### under ## ${id}`).toBe(3);
    }
  });
  test(`at most ${MOST_LINES_TO_WRITE} lines are to be written, where TODO stands`, () => {
    let lines = 0;
    for (const file of starterFiles({ slug: chapter })) {
      const starter = read('exercises', chapter, file);
      const solution = read('solutions', chapter, file);
      lines += linesOnlyIn(solution, starter);
      if (starter !== solution) expect(starter, file).toContain('TODO');
    }
    expect(lines).toBeGreaterThan(0);
    expect(lines).toBeLessThanOrEqual(MOST_LINES_TO_WRITE);
  });
}

function linesOnlyIn(text: string, other: string): number {
  const rest = other.split('\n').map(line => line.trim());
  let count = 0;
  for (const line of text.split('\n').map(each => each.trim())) {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    else if (line !== '' && !line.startsWith('//')) count++;
  }
  return count;
}

interface Grading {
  grade(directory: string, patience?: number): Promise<TaskResult>;
  /** Repeats the run. */
  withSeed: string;
}

/** Factors for the grader's time limits: for answers that end, on a machine that does much else; for those that hang. */
const [LONG, SHORT] = [3, 0.3];

function grading(chapter: string, task: Task): Grading {
  // A new one each time: an answer must not depend on it. COURSE_SEED repeats a run.
  const seed = process.env.COURSE_SEED ?? `${Math.floor(Math.random() * 1e9)}`;
  return {
    grade: (directory, patience = LONG) => gradeTask(task, { chapter, directory, seed, patience }),
    withSeed: `with COURSE_SEED=${seed}`,
  };
}

function skipWhereItWas(result: TaskResult, context: { skip(reason?: string): void }): void {
  if (result.outcome === 'skipped') context.skip(result.reason);
}

function testStarter(chapter: string, task: Task): void {
  const { grade, withSeed } = grading(chapter, task);
  const title = 'the starter fails and says what to do';
  test.concurrent(title, { timeout: PATIENCE }, async context => {
    const result = await grade(join(repository, 'exercises', chapter), SHORT);
    skipWhereItWas(result, context);
    expect(result.outcome, withSeed).toBe('failed');
    expect(
      result.broken!.promised.length * result.broken!.seen.length * result.broken!.look.length,
    ).toBeGreaterThan(0);
    expect(result.broken!.said ?? '', 'a crash').not.toMatch(/^\w*Error\b.*\.ts:\d+\)$/m);
  });
}

function testSolution(chapter: string, task: Task): void {
  const { grade, withSeed } = grading(chapter, task);
  test.concurrent(
    'the solution passes',
    async context => {
      const result = await grade(join(repository, 'solutions', chapter));
      skipWhereItWas(result, context);
      expect(result.broken, withSeed).toBeUndefined();
      expect(result.outcome).toBe('passed');
    },
    PATIENCE,
  );
}

function testMutants(chapter: string, task: Task, mutants: readonly Mutant[]): void {
  const { grade, withSeed } = grading(chapter, task);
  for (const mutant of mutants) {
    test.concurrent(
      `mutant ${mutant.name} breaks ${mutant.breaks}`,
      async context => {
        const directory = join(mkdtempSync(join(tmpdir(), 'mutant-')), chapter);
        try {
          makeMutant(chapter, mutant, directory);
          // Many mutants are caught by a wait that is in vain, and a short one often suffices.
          const hurried = await grade(directory, SHORT);
          const result = hurried.broken?.check === mutant.breaks ? hurried : await grade(directory);
          skipWhereItWas(result, context);
          expect(result.broken ?? result.outcome, withSeed).toMatchObject({ check: mutant.breaks });
        } finally {
          rmSync(join(directory, '..'), { recursive: true });
        }
      },
      PATIENCE,
    );
  }
}

function makeMutant(chapter: string, { file, replace, by, name }: Mutant, directory: string): void {
  mkdirSync(directory);
  cpSync(join(repository, 'solutions', chapter), directory, { recursive: true });
  const path = join(directory, file);
  const solution = readFileSync(path, 'utf8');
  if (solution.split(replace).length !== 2) {
    throw new Error(
      `mutant ${name}: what it replaces stands ${solution.split(replace).length - 1} times in ${file}`,
    );
  }
  writeFileSync(
    path,
    solution.replace(replace, () => by),
  );
}
