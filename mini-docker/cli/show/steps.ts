// Prints the steps of a start: a summary of their parts, or each step with its result and its reason.

import type { ExplainedStep } from '../../formats/explanation.ts';
import { wrapped } from './wrapped.ts';

export interface Screen {
  /** Width in columns. */
  width: number;
  colour: boolean;
}

/** One line per part: the number of steps, who executes them, and the part's purpose. */
export async function summarizeSteps(steps: readonly ExplainedStep[], screen: Screen): Promise<string> {
  const paint = await painter(screen);
  // All mounts are one part, since they are made in the same way and for the same reason.
  const parts = partsOf(
    steps.map(step => (step.group.startsWith('mount /') ? { ...step, group: 'mount …' } : step)),
  );
  const title = Math.max(...parts.map(part => part.group.length));
  const lines = parts.flatMap(({ group, by, purpose, count }) => {
    const start = `${String(count).padStart(5)}  ${paint.bold(group.padEnd(title))}  ${paint.dim(by.padEnd(9))}  `;
    const indent = 5 + 2 + title + 2 + 9 + 2;
    return hanging({ text: purpose, start, indent, width: screen.width });
  });
  return [`${steps.length} steps in ${parts.length} parts:`, '', ...lines, ''].join('\n');
}

interface Part {
  group: string;
  by: ExplainedStep['by'];
  purpose: string;
  count: number;
}

/** In order of time; a part that appears again is counted where it first was. */
export function partsOf(steps: readonly ExplainedStep[]): Part[] {
  return [...Map.groupBy(steps, ({ group }) => group)].map(([group, all]) => ({
    group,
    by: all[0]!.by,
    purpose: all[0]!.purpose ?? '',
    count: all.length,
  }));
}

async function painter({ colour }: Screen) {
  const { Chalk } = await import('chalk');
  return new Chalk({ level: colour ? 1 : 0 });
}

/** Text in a column behind `start`; below it when the screen is too narrow. */
function hanging(options: { text: string; start: string; indent: number; width: number }): string[] {
  const { text, start, width } = options;
  const beside = width - options.indent >= 24;
  const indent = beside ? options.indent : 7;
  const [first = '', ...rest] = wrapped(text.split(' '), width - indent);
  const further = rest.map(line => ' '.repeat(indent) + line);
  if (beside) return [(start + first).trimEnd(), ...further];
  return [start.trimEnd(), ...(text === '' ? [] : [' '.repeat(indent) + first, ...further])];
}

/** Grouped under headings, each call with its result, and its reason below, wrapped to the width. */
export async function describeSteps(steps: readonly ExplainedStep[], screen: Screen): Promise<string> {
  const { width } = screen;
  const paint = await painter(screen);
  const lines: string[] = [];
  let group: string | undefined;
  const digits = Math.max(...steps.map(({ number = '' }) => String(number).length));
  for (const step of steps.map(shortened)) {
    if (step.group !== group) {
      if (group !== undefined) lines.push('');
      lines.push(paint.bold(step.group));
      group = step.group;
    }
    const number = String(step.number ?? '-').padStart(digits);
    const indent = ' '.repeat(digits + 4);
    const outcome = describeOutcome(step);
    const pieces = `${step.call} ${outcome}`.split(/(?<=, |\||:)|(?= = )/);
    const [first = '', ...rest] = wrapped(pieces, width - indent.length, '');
    const failed = step.error !== undefined;
    lines.push(`  ${paint.dim(number)}  ${failed ? paint.red(first) : first}`);
    for (const each of rest) lines.push(`${indent}  ${each}`);
    if (step.reason === '') continue;
    const reason = step.by === 'container' ? step.reason : `${step.reason} (by the ${step.by})`;
    for (const each of wrapped(reason.split(' '), width - indent.length - 2))
      lines.push(`${indent}${paint.cyan(`# ${each}`)}`);
  }
  return lines.map(line => `${line}\n`).join('');
}

/** Shortens ids of 64 digits, which leave no room for anything else in a line. */
function shortened(step: ExplainedStep): ExplainedStep {
  const short = (text: string) => text.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1…');
  return { ...step, call: short(step.call), reason: short(step.reason) };
}

function describeOutcome({ result, error, microseconds }: ExplainedStep): string {
  if (result === undefined && error === undefined) return '';
  const time = microseconds === undefined ? '' : ` <${microseconds.toFixed(microseconds < 10 ? 1 : 0)} µs>`;
  return `= ${error === undefined ? result : `-1 ${error}`}${time}`;
}
