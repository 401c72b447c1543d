// Kills for lack of memory: the container's own, that of a control group above it, or the host's.

import { encodeBinarySize } from '../../../formats/sizes.ts';
import type { Finding } from '../../../formats/why-report.ts';
import { SIG } from '../../../linux/constants.ts';
import type { NotedOomKill, RecordState } from '../../state/record.ts';
import { clock, type Facts } from './facts.ts';

/**
 * Whether lack of memory ended the container, rather than a later stop after some process had been killed.
 */
export function diedOfMemory({ oomKilled, oomKill, asked = [], exitCode, exitSignal }: RecordState): boolean {
  if (!oomKilled || exitCode === 0) return false;
  const askedSince = asked.some(({ at }) => oomKill === undefined || Date.parse(at) > Date.parse(oomKill.at));
  return exitSignal === SIG.KILL
    ? !askedSince || asked.every(({ signal }) => signal !== SIG.KILL)
    : !askedSince;
}

export function memoryFinding({ name, state }: Facts): Finding {
  const { oomKill: kill, finishedAt, exitCode } = state;
  const evidence = [...(kill ? killEvidence(kill) : []), `it ended at ${finishedAt} with code ${exitCode}`];
  const who = state.exitSignal === SIG.KILL || kill?.name === undefined ? name : `${kill.name} in ${name}`;
  return { ...told(who, { name, at: kill?.at ?? finishedAt, kill }), evidence };
}

/** One of the container's processes was killed, but the container still runs. */
export function killedInside({ name, state }: Facts): Finding | undefined {
  const { oomKill: kill } = state;
  if (kill === undefined || diedOfMemory(state)) return undefined;
  const who = `${kill.name ?? 'a process'} in ${name}`;
  return { ...told(who, { name, at: kill.at, kill }), evidence: killEvidence(kill) };
}

function told(
  who: string,
  { name, at, kill }: { name: string; at: string; kill: NotedOomKill | undefined },
): Pick<Finding, 'code' | 'sentence' | 'advice'> {
  const killed = `${who} was killed by the kernel's OOM killer at ${clock(at)}`;
  if (kill?.scope === 'host') {
    return {
      code: 'oom-killed-by-host',
      sentence: `${killed}: the host ran out of memory, and the kernel chose this process. Its container used ${encodeBinarySize(kill.usage)}.`,
      advice:
        "Give containers limits ('--memory') whose sum fits into the host's memory, add swap, or make the kernel choose others with '--oom-score-adj -500'.",
    };
  }
  if (kill?.scope === 'group') {
    return {
      code: 'oom-killed-by-group',
      sentence: `${killed}: the control group ${kill.group} above the container's reached its limit of memory. The container itself used ${encodeBinarySize(kill.usage)}.`,
      advice: `Raise the limit of ${kill.group}, or run less below it ('--cgroup-parent').`,
    };
  }
  const figures =
    kill === undefined
      ? 'its limit of memory was reached'
      : `its processes used ${encodeBinarySize(kill.usage)}, and its limit is ${encodeBinarySize(kill.limit)}`;
  const more = kill === undefined ? 'MORE' : `${Math.ceil((kill.limit * 2) / 1024 ** 2)}m`;
  return {
    code: 'oom-killed',
    sentence: `${killed}: ${figures}.`,
    advice: `Give it more with 'mini-docker update --memory ${more} --memory-swap ${more} ${name}', or look at what it keeps in memory.`,
  };
}

function killEvidence({ at, pid, name, usage, limit, scope }: NotedOomKill): string[] {
  return [
    pid === undefined
      ? `a process was killed by ${at}; the kernel's log, which names it, cannot be read here`
      : `the kernel's log: it killed process ${pid} (${name}) at ${at}`,
    ...(scope === 'container' ? [`memory used ${usage} bytes, limit ${limit} bytes`] : []),
  ];
}
