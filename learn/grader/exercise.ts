// An exercise: tasks with points, each with a check that observes the learner's program through the kernel.
import type { Broken } from './broken-promise.ts';
import type { Lab } from './lab.ts';

export interface Exercise {
  readonly tasks: readonly Task[];
}

export interface Task {
  /** Name in commands, hints.md and reports; lower case with hyphens. */
  readonly id: string;
  /** 'The program in the box is number 1' */
  readonly title: string;
  readonly points: number;
  /** The learner's file; the check runs it. */
  readonly file: string;
  /** Whether the task needs root of the machine, because a user namespace does not suffice. */
  readonly needsRoot?: boolean;
  /** Whether the task needs control groups, and therefore root too. */
  readonly needsGroups?: boolean;
  /** A program of the machine without which the task cannot be tried: 'skopeo'. */
  readonly needsProgram?: string;
  /** Whether `mini-docker` is tried in the sandbox, which then shows it. */
  readonly needsEngine?: boolean;
  /** Time limit of the whole check in milliseconds; by default 20 000. */
  readonly timeLimit?: number;
  /** Tests the promises one after another with lab.promise(); the first broken one ends it. */
  check(lab: Lab): Promise<void>;
}

export interface TaskResult {
  id: string;
  title: string;
  points: number;
  of: number;
  outcome: 'passed' | 'failed' | 'skipped';
  broken?: Broken;
  /** Reason for skipping it. */
  reason?: string;
  milliseconds: number;
}
