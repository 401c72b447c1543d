// Why a container's program ended, or was never started. The first rule that applies gives the cause.

import type { Finding } from '../../../formats/why-report.ts';
import { SIG } from '../../../linux/constants.ts';
import type { AskedSignal } from '../../state/record.ts';
import { between, clock, type Facts, logEvidence, type Rule, signalName } from './facts.ts';
import { diedOfMemory, memoryFinding } from './memory.ts';
import { MEANINGS, OTHER } from './signals.ts';
import { startFailed } from './start.ts';

export const CAUSES: readonly Rule<Facts>[] = [
  recordLost,
  neverStarted,
  startFailed,
  unknownEnd,
  killedForMemory,
  endedByUser,
  endedBySignal,
  notFound,
  notExecutable,
  code125,
  done,
  failed,
];

function recordLost({ name, record }: Facts): Finding | undefined {
  if (record.broken === undefined) return undefined;
  return {
    code: 'record-lost',
    sentence: `The record that mini-docker kept of ${name} cannot be read any more, so that ${name} can be neither started nor explained.`,
    evidence: [record.broken],
    advice: `Save its files with 'mini-docker cp' or 'mini-docker export', then remove it and create it again.`,
  };
}

function neverStarted({ name, state }: Facts): Finding | undefined {
  if (state.status !== 'created' || state.error !== '') return undefined;
  return {
    code: 'never-started',
    sentence: `${name} was created and has not been started yet.`,
    evidence: [],
    advice: `Start it with 'mini-docker start ${name}'.`,
  };
}

function unknownEnd({ name, state }: Facts): Finding | undefined {
  if (!state.exitUnknown) return undefined;
  return {
    code: 'end-unknown',
    sentence: `${name} has ended, and its exit was not recorded: ${state.error.replace(/^the exit code is not known: /, '')}.`,
    evidence: [`it was started at ${state.startedAt}`, `its end was noticed at ${state.finishedAt}`],
    advice:
      "That happens when the machine restarts or crashes, or when the container's monitor is killed. Start the container again; with a restart policy the daemon does that by itself.",
  };
}

function killedForMemory(facts: Facts): Finding | undefined {
  return diedOfMemory(facts.state) ? memoryFinding(facts) : undefined;
}

function endedByUser({ name, state, record }: Facts): Finding | undefined {
  const { asked = [], exitCode, exitSignal, finishedAt } = state;
  const last = asked.findLast(
    ({ by, signal }) => by !== 'kill' || signal === exitSignal || exitCode === 128 + signal,
  );
  if (last === undefined) return undefined;
  const first = asked.find(each => each.by === last.by) ?? last;
  const command =
    last.by === 'shutdown'
      ? "the daemon, which stopped all containers with itself ('live-restore' is false)"
      : `'mini-docker ${last.by}' (or a client's call of the same name)`;
  const evidence = [...asked.map(sent), `it ended at ${finishedAt} with code ${exitCode}`];
  if (last.by !== 'kill' && last.signal === SIG.KILL && first.signal !== SIG.KILL) {
    const stop = signalName(first.signal);
    return {
      code: 'stopped-by-force',
      sentence: `${name} was killed at ${clock(finishedAt)}: ${command} had sent it ${stop} at ${clock(first.at)}, and it was still running ${between(first.at, last.at)} later.`,
      evidence,
      advice: `Let its program end on ${stop}: process 1 of a container ignores a signal that it has no handler for. Start the program with exec instead of through a shell, use '--init', or choose another signal with '--stop-signal'.${record.hostConfig.Init ? ' Its --init passes the signal on, and the program ignores it.' : ''}`,
    };
  }
  return {
    code: last.by === 'kill' ? 'killed-by-user' : 'stopped-by-user',
    sentence: `${name} ended at ${clock(finishedAt)} with code ${exitCode} because of ${command}, which sent ${signalName(last.signal)} at ${clock(last.at)}.`,
    evidence,
    advice: `Start it again with 'mini-docker start ${name}'.`,
  };
}

const sent = ({ by, signal, at }: AskedSignal): string => `'${by}' sent ${signalName(signal)} at ${at}`;

/** A program that ended by a signal that mini-docker did not send. */
function endedBySignal({ name, state, lastLines }: Facts): Finding | undefined {
  const { exitCode, exitSignal, finishedAt } = state;
  const signal = exitSignal ?? exitCode - 128;
  if (exitSignal === undefined && !(signal in MEANINGS)) return undefined;
  const { meaning, advice } = MEANINGS[signal] ?? OTHER;
  const ofItself = exitSignal !== undefined;
  return {
    code: signal === SIG.SEGV ? 'segmentation-fault' : 'ended-by-signal',
    sentence: ofItself
      ? `${name} was ended by ${signalName(signal)} at ${clock(finishedAt)}: ${meaning}.`
      : `${name} ended at ${clock(finishedAt)} with code ${exitCode}, by which a shell or an init reports that ${signalName(signal)} ended the program it ran: ${meaning}.`,
    evidence: [
      ofItself
        ? `according to the kernel, process 1 of the container died of signal ${signal}`
        : `${exitCode} is 128 + ${signal}; process 1 itself exited normally`,
      ...logEvidence(lastLines),
    ],
    advice,
  };
}

const withCode =
  (wanted: number, code: string, tell: (facts: Facts) => { means: string; advice: string }): Rule<Facts> =>
  facts => {
    const { name, state, lastLines } = facts;
    if (state.exitCode !== wanted) return undefined;
    const { means, advice } = tell(facts);
    return {
      code,
      sentence: `${name} ended at ${clock(state.finishedAt)} with code ${wanted}: ${means}.`,
      evidence: logEvidence(lastLines),
      advice,
    };
  };

function notFound(facts: Facts): Finding | undefined {
  return withCode(127, 'command-not-found', () => ({
    means: 'a command that it ran, or the interpreter or a library of one, was not found',
    advice: 'The last lines of its log name it: install it in the image, or correct its path.',
  }))(facts);
}

function notExecutable(facts: Facts): Finding | undefined {
  return withCode(126, 'not-executable', () => ({
    means: 'a command that it ran exists, but could not be executed',
    advice:
      "The last lines of its log name it: it may lack permission to execute ('chmod +x'), or be no program for this machine.",
  }))(facts);
}

function code125(facts: Facts): Finding | undefined {
  return withCode(125, 'code-125', () => ({
    means:
      "the program's own choice; 'mini-docker run' ends with 125 when it cannot start a container, and this one had been started",
    advice:
      'Look up the code in the documentation of the program (timeout and git bisect use it, for instance).',
  }))(facts);
}

function done({ name, state, record }: Facts): Finding | undefined {
  if (state.exitCode !== 0) return undefined;
  return {
    code: 'finished',
    sentence: `${name} ended at ${clock(state.finishedAt)} because its program finished: it returned 0 after ${between(state.startedAt, state.finishedAt)}.`,
    evidence: [`its program: ${[record.path, ...record.args].join(' ')}`],
    advice:
      "A container runs as long as its process 1. If it should go on, keep the program in the foreground (no daemon of its own); a shell without '-it' has no input and ends at once.",
  };
}

function failed({ name, state, lastLines }: Facts): Finding {
  return {
    code: 'failed',
    sentence: `${name} ended at ${clock(state.finishedAt)} because its program failed: it returned ${state.exitCode} after ${between(state.startedAt, state.finishedAt)}.`,
    evidence: lastLines.length > 0 ? logEvidence(lastLines) : ['its log is empty'],
    advice: `The program alone defines what the code means; 'mini-docker logs ${name}' shows all its output.`,
  };
}
