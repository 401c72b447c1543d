// What an exercise is: tasks with points, each with a check that looks at what the kernel shows of the learner's program.
import type { Broken } from './broken-promise.ts';
import type { Lab } from './lab.ts';

export interface Exercise {
  readonly tasks: readonly Task[];
}

export interface Task {
  /** In lower case with hyphens: its name in commands, hints.md and reports. */
  readonly id: string;
  /** 'The program in the box is number 1' */
  readonly title: string;
  readonly points: number;
  /** The learner's file that the check runs. */
  readonly file: string;
  /** It cannot be done in a user namespace. */
  readonly needsRoot?: boolean;
  /** It wants control groups, and so root as well. */
  readonly needsGroups?: boolean;
  /** Milliseconds for the whole check; 20 seconds unless said otherwise. */
  readonly timeLimit?: number;
  /** Keeps its promises one after another, by lab.promise(); the first that is broken ends it. */
  check(lab: Lab): Promise<void>;
}

export interface TaskResult {
  id: string;
  title: string;
  points: number;
  of: number;
  outcome: 'passed' | 'failed' | 'skipped';
  broken?: Broken;
  /** Why it was not checked. */
  reason?: string;
  milliseconds: number;
}
