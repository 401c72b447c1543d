// The list of a start, decoded for people, with results and times where it was made.
import type { ExplainedStep } from '../formats/explanation.ts';
import { describe } from '../linux/describe.ts';
import { errnoName } from '../linux/errno.ts';
import type { Item } from '../linux/program.ts';
import type { Results } from '../linux/results.ts';
import type { Step } from '../linux/step.ts';
import type { Section } from './section.ts';

function stepOf(item: Item): Step | undefined {
  if ('syscall' in item) return item;
  return item.control === 'fork' ? item.step : undefined;
}

export function explainSections(sections: readonly Section[], results?: Results): ExplainedStep[] {
  const listed = sections.flatMap(({ title, items }) =>
    items.flatMap(item => {
      const step = stepOf(item);
      return step === undefined ? [] : [{ title, step }];
    }),
  );
  const positions = new Map(listed.map(({ step }, index) => [step.key, index + 1]));
  const times = results?.microseconds();
  // The monitor is ours until it forks, and again at the end.
  const monitor = new Set([sections[0]?.title, sections.at(-1)?.title]);
  return listed.map(({ title, step }, index) => ({
    group: title,
    call: describe(step, earlier => positions.get(earlier.key)!),
    reason: step.why ?? '',
    by: monitor.has(title) ? 'engine' : 'container',
    // Without a time it was passed over, or it is the execve that did not come back.
    ...(results === undefined || times?.[index] === undefined
      ? {}
      : { ...resultFields(results.of(step)), microseconds: times[index] }),
  }));
}

function resultFields(result: number): Pick<ExplainedStep, 'result' | 'error'> {
  return result < 0 && result > -4096 ? { result: -1, error: errnoName(-result) } : { result };
}
