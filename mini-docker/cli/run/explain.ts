// `run --explain` and `run --trace`: the system calls that start a container, for people and for programs. Our own
// daemon's addition to the Engine API.

import type { ContainerCreateBody } from '../../formats/engine-api/containers.ts';
import type { ExplainedStep } from '../../formats/explanation.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { CommandError, DaemonError, OUR_FAULT } from '../errors.ts';
import { print, write, writeError } from '../show/output.ts';

interface Explained {
  Lines?: ExplainedStep[];
  Id?: string;
}

const foreign = () =>
  new CommandError("only mini-docker's own daemon can explain and trace; unset DOCKER_HOST to use it", {
    exitCode: OUR_FAULT,
  });

/** Prints what would be done. */
export async function explain(
  daemon: DaemonClient,
  body: ContainerCreateBody,
  { platform, json }: { platform: string | undefined; json: boolean },
): Promise<number> {
  const answer = await daemon.json<Explained | ExplainedStep[]>('POST', '/containers/create', {
    query: { explain: true, platform },
    json: body,
  });
  if (!Array.isArray(answer) && answer.Id !== undefined) {
    // Another daemon knows nothing of `explain` and has made a container.
    await daemon.text('DELETE', `/containers/${answer.Id}`, { query: { force: true } });
    throw foreign();
  }
  const steps = stepsOf(answer);
  if (json) print(JSON.stringify(steps, null, 2));
  else
    write(await describeSteps(steps, { width: process.stdout.columns || 80, colour: process.stdout.isTTY }));
  return 0;
}

/** Prints what was done, on stderr: stdout is the container's. */
export async function printTrace(daemon: DaemonClient, id: string, json: boolean): Promise<void> {
  let steps: ExplainedStep[];
  try {
    steps = stepsOf(await daemon.json<Explained | ExplainedStep[]>('GET', `/containers/${id}/trace`));
  } catch (error) {
    // The container is there: a daemon that has not found the path does not know of traces.
    const why = error instanceof DaemonError && error.status === 404 ? foreign() : (error as Error);
    writeError(`mini-docker: no trace: ${why.message}\n`);
    return;
  }
  const text = json
    ? `${JSON.stringify(steps, null, 2)}\n`
    : await describeSteps(steps, { width: process.stderr.columns || 80, colour: process.stderr.isTTY });
  writeError(text);
}

const stepsOf = (answer: Explained | ExplainedStep[]) =>
  Array.isArray(answer) ? answer : (answer.Lines ?? []);

/** Grouped under headings, each call with its result and below it its reason, wrapped to the width. */
export async function describeSteps(
  steps: ExplainedStep[],
  { width, colour }: { width: number; colour: boolean | undefined },
): Promise<string> {
  const { Chalk } = await import('chalk');
  const paint = new Chalk({ level: colour ? 1 : 0 });
  const lines: string[] = [];
  let group: string | undefined;
  const digits = String(steps.length).length;
  for (const [index, step] of steps.map(shortened).entries()) {
    if (step.group !== group) {
      if (group !== undefined) lines.push('');
      lines.push(paint.bold(step.group));
      group = step.group;
    }
    const number = String(index + 1).padStart(digits);
    const indent = ' '.repeat(digits + 4);
    const outcome = describeOutcome(step);
    const [first = '', ...rest] = wrap(
      step.call + (outcome === '' ? '' : ` ${outcome}`),
      width - indent.length,
      /(?<=, |\||:)|(?= = )/,
    );
    const failed = step.error !== undefined;
    lines.push(`  ${paint.dim(number)}  ${failed ? paint.red(first) : first}`);
    for (const each of rest) lines.push(`${indent}  ${each}`);
    if (step.reason === '') continue;
    const reason = step.by === 'engine' ? `${step.reason} (by the engine)` : step.reason;
    for (const each of wrap(reason, width - indent.length - 2, / /))
      lines.push(`${indent}${paint.cyan(`# ${each}`)}`);
  }
  return lines.map(line => `${line}\n`).join('');
}

/** An id of 64 digits leaves no room for anything else in a line. */
function shortened(step: ExplainedStep): ExplainedStep {
  const short = (text: string) => text.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1…');
  return { ...step, call: short(step.call), reason: short(step.reason) };
}

function describeOutcome({ result, error, microseconds }: ExplainedStep): string {
  if (result === undefined && error === undefined) return '';
  const time = microseconds === undefined ? '' : ` <${microseconds.toFixed(microseconds < 10 ? 1 : 0)} µs>`;
  return `= ${error === undefined ? result : `-1 ${error}`}${time}`;
}

/** Breaks where `between` is; a piece that is longer than the width stands alone. */
function wrap(text: string, width: number, between: RegExp): string[] {
  const glue = between.source === ' ' ? ' ' : '';
  const lines: string[] = [];
  for (const piece of text.split(between)) {
    const last = lines.at(-1);
    if (last !== undefined && (last + glue + piece).trimEnd().length <= width)
      lines[lines.length - 1] = last + glue + piece;
    else lines.push(piece.trimStart());
  }
  return lines.map(line => line.trimEnd());
}
