// Boxes in the shapes in which the API shows them. Names are those of Docker's documentation; see the answers of
// GET /containers/json and GET /containers/NAME/json there. The engine: mini-docker/engine/reports/list.ts and inspect.ts

import { statSync } from 'node:fs';
import { type Box, type BoxEvent, statusOf } from './boxes.ts';

/** Chapter 19: what is known of a box's health. */
export const health: { of(box: Box): { status: string; failures: number } | undefined } = {
  of: () => undefined,
};

/** The record is written at the start of a box and at its end, and at no other time. */
function changed({ name }: Box): Date {
  return statSync(`/tmp/box/containers/${name}/state.json`).mtime;
}

function age(date: Date): string {
  const seconds = Math.max(0, Math.round((Date.now() - date.getTime()) / 1000));
  const [count, unit] =
    seconds < 60 ? [seconds, 'second'] : seconds < 3600 ? [seconds / 60, 'minute'] : [seconds / 3600, 'hour'];
  return `${Math.floor(count)} ${unit}${Math.floor(count) === 1 ? '' : 's'}`;
}

/** 'Up 3 seconds', as in `docker ps`. */
function describe(box: Box): string {
  const code = box.state.exitCode ?? 'unknown';
  const texts = {
    created: 'Created',
    running: `Up ${age(changed(box))}`,
    restarting: `Restarting (${code}) ${age(changed(box))} ago`,
    exited: `Exited (${code}) ${age(changed(box))} ago`,
  };
  const known = statusOf(box) === 'running' ? health.of(box)?.status : undefined;
  return (
    texts[statusOf(box)] +
    (known === undefined ? '' : ` (${known.replace(/^starting$/, 'health: starting')})`)
  );
}

/** A line of `docker ps`. */
export function summary(box: Box): object {
  const { name, state, wanted } = box;
  return {
    Id: wanted.id,
    Names: [`/${name}`],
    Image: state.spec.image,
    ImageID: state.image.digest,
    Command: state.spec.command.join(' '),
    Created: Math.floor(Date.parse(wanted.created) / 1000),
    State: statusOf(box),
    Status: describe(box),
    Ports: ports(box),
    Labels: wanted.request.Labels ?? {},
    HostConfig: { NetworkMode: state.spec.net },
    NetworkSettings: { Networks: {} },
    Mounts: [],
  };
}

function ports({ state }: Box): object[] {
  return (state.held?.connection?.published ?? []).map(({ port, boxPort }) => ({
    IP: '0.0.0.0',
    PrivatePort: boxPort,
    PublicPort: port,
    Type: 'tcp',
  }));
}

/** What `docker port` shows. */
function portMap({ state }: Box): object {
  const published = state.held?.connection?.published ?? [];
  return Object.fromEntries(
    published.map(({ port, boxPort }) => [`${boxPort}/tcp`, [{ HostIp: '0.0.0.0', HostPort: `${port}` }]]),
  );
}

const NEVER = '0001-01-01T00:00:00Z';

/** All about one box. */
export function details(box: Box): object {
  const { name, state, wanted } = box;
  const [status, isRunning] = [statusOf(box), statusOf(box) === 'running'];
  const known = health.of(box);
  const address = state.held?.connection?.address ?? '';
  return {
    Id: wanted.id,
    Created: wanted.created,
    Name: `/${name}`,
    Path: state.spec.command[0] ?? '',
    Args: state.spec.command.slice(1),
    Image: state.image.digest,
    RestartCount: wanted.restarts,
    State: {
      Status: status,
      Running: isRunning || status === 'restarting',
      Restarting: status === 'restarting',
      Paused: false,
      Dead: false,
      OOMKilled: false,
      Pid: isRunning ? (state.box?.pid ?? 0) : 0,
      ExitCode: state.exitCode ?? 0,
      // An exit code that no process saw is not 0. There is no number for it.
      Error: status === 'exited' && state.exitCode === undefined ? 'nobody saw how it ended' : '',
      StartedAt: isRunning ? changed(box).toISOString() : NEVER,
      FinishedAt: status === 'exited' ? changed(box).toISOString() : NEVER,
      ...(known && { Health: { Status: known.status, FailingStreak: known.failures, Log: [] } }),
    },
    Config: { Labels: {}, ...wanted.request, HostConfig: undefined, Image: state.spec.image },
    HostConfig: { LogConfig: { Type: 'frames', Config: {} }, ...wanted.request.HostConfig },
    Mounts: [],
    NetworkSettings: { IPAddress: address, Ports: portMap(box), Networks: {} },
  };
}

export function eventShape({ action, box, time }: BoxEvent): object {
  const { name, state, wanted } = box;
  const code = action === 'die' && state.exitCode !== undefined ? { exitCode: `${state.exitCode}` } : {};
  const Attributes = { name, image: state.spec.image, ...code };
  return {
    Type: 'container',
    Action: action,
    Actor: { ID: wanted.id, Attributes },
    // The next three are for clients before version 1.22 of the API. They still want them.
    status: action,
    id: wanted.id,
    from: state.spec.image,
    scope: 'local',
    time: Math.floor(time / 1000),
    timeNano: time * 1e6,
  };
}
