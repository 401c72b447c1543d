// GET /containers/ID/why: why it ended, does not start, cannot be reached, or is slow. Facts that would be
// lost were recorded when they happened (life/transitions.ts); the rest is asked of the kernel now.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding, WhyReport } from '../../../formats/why-report.ts';
import { decodeLogOptions } from '../../spec/log-options.ts';
import type { EngineContext } from '../../state/context.ts';
import type { LiveContainer, Run } from '../../state/live-container.ts';
import type { RecordState } from '../../state/record.ts';
import { readLog } from '../../streams/log-reader.ts';
import { complaintFacts } from './complaint-facts.ts';
import { COMPLAINTS } from './complaints.ts';
import { containerFiles } from './container-files.ts';
import { COURSE } from './course.ts';
import { CAUSES } from './ended.ts';
import { clock, type Facts, findings } from './facts.ts';
import { NETWORK, PUBLISHED } from './network.ts';
import { networkFacts } from './network-facts.ts';
import { type PortHolder, portHolder } from './port-holder.ts';
import { programFindings } from './program.ts';
import { SPEED } from './speed.ts';

/** Milliseconds between two readings of the counters: two periods of a processor quota. */
const LOOK = 250;
const LAST_LINES = 5;
const LONGEST_LINE = 400;

export async function whyReport(context: EngineContext, live: LiveContainer): Promise<WhyReport> {
  const { record, run } = live;
  const facts: Facts = {
    name: record.name,
    record,
    state: run === undefined ? record.state : withLatestKill(record.state, run),
    lastLines: await lastLines(context, live),
  };
  const found =
    run === undefined ? await ofEnded(context, live, facts) : await ofRunning(context, live, { facts, run });
  return { name: record.name, id: record.id, status: record.state.status, findings: found };
}

/** Adds a kill that happened while no daemon was running to record it. */
function withLatestKill(state: RecordState, { container }: Run): RecordState {
  const kill = state.oomKill === undefined ? container.oomKill() : undefined;
  return kill === undefined ? state : { ...state, oomKill: { at: new Date().toISOString(), ...kill } };
}

async function ofEnded(context: EngineContext, live: LiveContainer, facts: Facts): Promise<Finding[]> {
  await using files = containerFiles(context, live);
  const holder = takenPort(context, facts.state.error);
  const [cause] = findings(CAUSES, holder === undefined ? facts : { ...facts, portHolder: holder });
  const closer = [...(await programFindings(files, facts)), ...complaintFindings(context, live, facts)];
  // They say more precisely what to do.
  if (cause !== undefined && closer.length > 0) delete cause.advice;
  return [...(cause ? [cause] : []), ...closer, ...findings(COURSE, facts)];
}

/** 'Bind for 0.0.0.0:80 failed: port is already allocated (tcp)' */
function takenPort(context: EngineContext, error: string): PortHolder | undefined {
  const [, port, protocol] = /:(\d+) failed: port is already allocated \((\w+)\)/.exec(error) ?? [];
  return port === undefined ? undefined : portHolder(context, { port: Number(port), protocol: protocol! });
}

/** A program that ended well has no reason to complain. */
function complaintFindings(
  context: EngineContext,
  live: LiveContainer,
  { state, lastLines }: Facts,
): Finding[] {
  if (live.run === undefined && (state.exitCode === 0 || state.error !== '')) return [];
  return findings(COMPLAINTS, complaintFacts(context, live, lastLines));
}

async function ofRunning(
  context: EngineContext,
  live: LiveContainer,
  { facts, run }: { facts: Facts; run: Run },
): Promise<Finding[]> {
  const [network, speed] = await Promise.all([networkFindings(context, live), speedFindings(facts, run)]);
  const complaints = complaintFindings(context, live, facts);
  const trouble = [...findings(COURSE, facts), ...complaints, ...speed, ...network];
  return trouble.some(({ advice }) => advice !== undefined) ? trouble : [wellAndRunning(facts), ...trouble];
}

async function networkFindings(context: EngineContext, live: LiveContainer): Promise<Finding[]> {
  const container = await networkFacts(context, live);
  const ports = container.published.flatMap(port => findings(PUBLISHED, { container, port }).slice(0, 1));
  return [...ports, ...findings(NETWORK, container)];
}

async function speedFindings({ name, record }: Facts, { container, spec }: Run): Promise<Finding[]> {
  try {
    const before = await container.stats();
    const begun = performance.now();
    await sleep(LOOK);
    const now = await container.stats();
    const elapsed = Math.round(performance.now() - begun);
    return findings(SPEED, { name, memoryLimit: record.hostConfig.Memory ?? 0, spec, before, now, elapsed });
  } catch {
    // The container has just ended, and its control group is gone.
    return [];
  }
}

function wellAndRunning({ name, state }: Facts): Finding {
  return {
    code: 'running',
    sentence: `${name} has been running since ${clock(state.startedAt)}, and nothing is known to be wrong with it: nothing slows it down, and no check fails.`,
    evidence: [`its process 1 has the pid ${state.pid} on the host`],
  };
}

async function lastLines(context: EngineContext, { id, record }: LiveContainer): Promise<string[]> {
  if (!decodeLogOptions(record.hostConfig).keeps) return [];
  const lines: string[] = [];
  try {
    for await (const { data } of readLog({ path: context.paths.container(id).log, tail: LAST_LINES }))
      lines.push(Buffer.from(data).toString().trimEnd().slice(0, LONGEST_LINE));
  } catch {
    // The file is missing or cannot be read: the other evidence stands without it.
  }
  return lines.filter(Boolean);
}
