// Events during a container's life: restarts, health checks, and kills that it survived.

import type { Finding } from '../../../formats/why-report.ts';
import { between, clock, type Facts, type Rule } from './facts.ts';
import { killedInside } from './memory.ts';

export const COURSE: readonly Rule<Facts>[] = [paused, restartLoop, unhealthy, killedInside];

function paused({ name, state }: Facts): Finding | undefined {
  if (state.status !== 'paused') return undefined;
  return {
    code: 'paused',
    sentence: `${name} is paused: its processes get no processor time, and cannot answer.`,
    evidence: ["the freezer of its control group holds it ('mini-docker pause')"],
    advice: `Resume it with 'mini-docker unpause ${name}'.`,
  };
}

function restartLoop({ name, state, record }: Facts): Finding | undefined {
  const { ends = [], restartCount, status } = state;
  if (restartCount === 0 && status !== 'restarting') return undefined;
  const lasted = ends.map(({ startedAt, finishedAt }) => between(startedAt, finishedAt)).join(', ');
  const policy = record.hostConfig.RestartPolicy?.Name;
  const now =
    status === 'restarting'
      ? 'it waits for the next start'
      : status === 'exited'
        ? 'it is not started again'
        : 'it runs now';
  return {
    code: 'restart-loop',
    sentence: `Its policy '${policy}' has started ${name} again ${restartCount} ${restartCount === 1 ? 'time' : 'times'}, and ${now}. Its last runs took ${lasted}.`,
    evidence: ends.map(
      ({ startedAt, finishedAt, exitCode }) =>
        `from ${clock(startedAt)} to ${clock(finishedAt)}: code ${exitCode}`,
    ),
    advice: `Each wait is twice as long as the one before, up to 60 s. Find out why it ends; 'mini-docker update --restart no ${name}' ends the loop.`,
  };
}

function unhealthy({ name, state, record }: Facts): Finding | undefined {
  const { health } = state;
  const last = health?.Log.at(-1);
  if (health === undefined || last === undefined || health.FailingStreak === 0) return undefined;
  const times = `${health.FailingStreak} ${health.FailingStreak === 1 ? 'time' : 'times in a row'}`;
  const ended = state.status === 'exited';
  const isUnhealthy = health.Status === 'unhealthy';
  return {
    code: 'unhealthy',
    sentence: `The health check of ${name} has failed ${times}${isUnhealthy ? `, so that it ${ended ? 'was' : 'is'} unhealthy` : ''}: the last one returned ${last.ExitCode} at ${clock(last.End)}.`,
    evidence: [
      `the check: ${record.config.Healthcheck?.Test?.slice(1).join(' ')}`,
      ...last.Output.trimEnd()
        .split('\n')
        .slice(-5)
        .map(line => `its output: ${line.slice(0, 400)}`),
    ],
    advice: `Run the check by hand: 'mini-docker exec ${name} …'. A container is not restarted for being unhealthy${isUnhealthy ? '' : `; it counts as such after ${record.config.Healthcheck?.Retries || 3} failures`}.`,
  };
}
