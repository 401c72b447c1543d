// A plausible wrong answer: the solution with one thing changed, and the promise that it breaks.
export interface Mutant {
  name: string;
  /** The id of the task that must fail. */
  task: string;
  /** The name that lab.promise() is given there. */
  breaks: string;
  file: string;
  /** What the learner believed. */
  belief: string;
  /** Stands exactly once in the solution's file. */
  replace: string;
  by: string;
}
