// `run --explain` and `run --trace`: prints the system calls that start a container, for people and for
// programs. They need mini-docker's extension of the Engine API.

import type { ContainerCreateBody } from '../../formats/engine-api/containers.ts';
import type { ExplainedStep } from '../../formats/explanation.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { beforeProgram, hasStatus } from '../errors.ts';
import { print, write, writeError } from '../show/output.ts';
import { page } from '../show/pager.ts';
import { describeSteps, partsOf, type Screen, summarizeSteps } from '../show/steps.ts';
import type { Explaining } from './create-flags.ts';

export interface ExplainFlags {
  platform: string | undefined;
  json: boolean;
  explain: Explaining;
  section: string | undefined;
}

interface Explained {
  Lines?: ExplainedStep[];
  Id?: string;
}

const foreign = () =>
  beforeProgram("only mini-docker's own daemon can explain and trace; unset DOCKER_HOST to use it");

/** Prints the steps that would be executed. */
export async function explain(
  daemon: DaemonClient,
  body: ContainerCreateBody,
  { platform, json, explain: how, section }: ExplainFlags,
): Promise<number> {
  const answer = await daemon.json<Explained | ExplainedStep[]>('POST', '/containers/create', {
    query: { explain: true, platform },
    json: body,
  });
  if (!Array.isArray(answer) && answer.Id !== undefined) {
    // Another daemon ignores `explain` and has created a container.
    await daemon.text('DELETE', `/containers/${answer.Id}`, { query: { force: true } });
    throw foreign();
  }
  const steps = stepsOf(answer);
  const chosen = section === undefined ? steps : stepsOfPart(steps, section);
  const screen = screenOf(process.stdout);
  if (json) print(JSON.stringify(chosen, null, 2));
  else if (section !== undefined || how === 'full') page(await describeSteps(chosen, screen));
  else write((await summarizeSteps(steps, screen)) + MORE);
  return 0;
}

const MORE = `
--explain=full prints every step, --explain --section NAME those of one part, --json all of them for programs.
`;

/** @throws CommandError when no part has this name; it lists the parts */
function stepsOfPart(steps: readonly ExplainedStep[], name: string): ExplainedStep[] {
  const groups = partsOf(steps).map(({ group }) => group);
  const wanted = name.toLowerCase();
  const chosen = groups.includes(name)
    ? [name]
    : groups.filter(group => group.toLowerCase().startsWith(wanted));
  if (chosen.length === 0) {
    throw beforeProgram(`there is no part ${JSON.stringify(name)}: they are ${groups.join(', ')}`);
  }
  return steps.filter(({ group }) => chosen.includes(group));
}

function screenOf(stream: NodeJS.WriteStream): Screen {
  return { width: stream.columns || 80, colour: stream.isTTY === true && !process.env.NO_COLOR };
}

/** Prints the steps that were executed, on stderr, since stdout is the container's. */
export async function printTrace(daemon: DaemonClient, id: string, json: boolean): Promise<void> {
  let steps: ExplainedStep[];
  try {
    steps = stepsOf(await daemon.json<Explained | ExplainedStep[]>('GET', `/containers/${id}/trace`));
  } catch (error) {
    // The container exists, so a 404 means that the daemon has no traces.
    const why = hasStatus(error, 404) ? foreign() : (error as Error);
    writeError(`mini-docker: no trace: ${why.message}\n`);
    return;
  }
  const text = json
    ? `${JSON.stringify(steps, null, 2)}\n`
    : await describeSteps(steps, screenOf(process.stderr));
  writeError(text);
}

const stepsOf = (answer: Explained | ExplainedStep[]) =>
  Array.isArray(answer) ? answer : (answer.Lines ?? []);
