import type { Step } from './step.ts';

/** What an errno means for this step on this machine, where the errno's own text misleads. */
export function hintFor(_step: Step, _errno: number): string | undefined {
  return undefined;
}
