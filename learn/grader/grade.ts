// Grades a task of a submission in a sandbox of its own, with a time limit for the whole.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { chapters } from '../course.ts';
import { compiledDirectory, repository } from '../repository.ts';
import { SYSTEM_PATH } from '../sandbox/enter.ts';
import type { Excerpt } from '../sandbox/plan.ts';
import { Sandbox, type SandboxOptions } from '../sandbox/sandbox.ts';
import { type Broken, BrokenPromiseError } from './broken-promise.ts';
import type { Task, TaskResult } from './exercise.ts';
import { lab } from './lab.ts';
import { random } from './random.ts';

/** Path of a submission in its sandbox, where its imports find the course. */
export function workDirectory(chapter: string): string {
  return join(repository, 'work', chapter);
}

const TIME_LIMIT = 20_000;

/**
 * @param options.directory the submission's files for this chapter
 * @param options.seed determines the names and values
 * @param options.patience factor for all time limits, for slow machines
 */
export async function gradeTask(
  task: Task,
  options: { chapter: string; directory: string; seed: string; patience?: number },
): Promise<TaskResult> {
  const { chapter, directory, ...rest } = options;
  const work = workDirectory(chapter);
  return gradeIn(task, {
    ...rest,
    program: ['node', task.file],
    sandbox: {
      directory: work,
      excerpt: excerptFor(chapter, task.needsEngine ? ENGINE : []),
      placed: [{ source: directory, target: work, as: 'layer' }],
    },
  });
}

/** @param options.program the submission's program in the sandbox, and its first arguments */
export async function gradeIn(
  task: Task,
  options: {
    program: readonly string[];
    sandbox: SandboxOptions & { directory: string };
    environment?: Record<string, string>;
    seed: string;
    patience?: number;
  },
): Promise<TaskResult> {
  const { program, environment = {}, seed, patience = 1 } = options;
  const { id, title, points: of } = task;
  const timeLimit = (task.timeLimit ?? TIME_LIMIT) * patience;
  const begun = performance.now();
  const result = (outcome: TaskResult['outcome'], more: Partial<TaskResult> = {}): TaskResult => ({
    id,
    title,
    points: outcome === 'passed' ? of : 0,
    of,
    outcome,
    milliseconds: Math.round(performance.now() - begun),
    ...more,
  });
  if ((task.needsRoot || task.needsGroups) && process.geteuid?.() !== 0) {
    return result('skipped', { reason: 'it needs root: sudo bin/learn check' });
  }
  if (task.needsProgram !== undefined && !isInstalled(task.needsProgram)) {
    return result('skipped', { reason: `${task.needsProgram} is not installed` });
  }
  await using sandbox = await Sandbox.create(options.sandbox);
  if (task.needsGroups && sandbox.withoutGroups !== undefined) {
    return result('skipped', { reason: sandbox.withoutGroups });
  }
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new BrokenPromiseError(tooLate(timeLimit))), timeLimit);
  try {
    const { directory } = options.sandbox;
    const setting = { sandbox, random: random(`${seed} ${id}`), program, directory, environment, patience };
    const check = task.check(lab(setting));
    // A check that runs out of time fails with the sandbox; its later errors do not matter.
    check.catch(() => {});
    await Promise.race([check, over]);
    return result('passed');
  } catch (error) {
    if (error instanceof BrokenPromiseError) return result('failed', { broken: error.broken });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(milliseconds: number): Broken {
  return {
    check: 'ends-in-time',
    promised: `the task is done within ${milliseconds / 1000} seconds`,
    seen: 'it took longer, and everything was killed',
    look: 'what does your program wait for; does it start processes without end?',
  };
}

function isInstalled(program: string): boolean {
  return SYSTEM_PATH.split(':').some(directory => existsSync(join(directory, program)));
}

/** `bin/mini-docker` with its bundle, or with its sources if there is no bundle. */
export const ENGINE = ['bin', 'dist', 'mini-docker'];

/**
 * The files that programs of this chapter may import; a submission sees no other files of the course or of others.
 * @param also further parts of the course's folder
 */
function excerptFor(chapter: string, also: readonly string[]): Excerpt {
  const earlier = chapters().filter(({ slug }) => slug <= chapter);
  return excerptOf([...also, ...earlier.map(({ slug }) => `chapters/${slug}`)]);
}

/** What `#linux` needs, and these parts of the course's folder. */
export function excerptOf(also: readonly string[]): Excerpt {
  const parts = [
    'node_modules',
    'mini-docker/linux',
    relative(repository, compiledDirectory),
    ...also,
  ].filter(part => existsSync(join(repository, part)));
  const { type, imports } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  return { parts, files: [{ path: 'package.json', text: JSON.stringify({ type, imports }), mode: 0o644 }] };
}
