// The output of several containers at once; each line begins with its container's name.

import { setTimeout as sleep } from 'node:timers/promises';
import { frameDecoder } from '../../formats/stream-frames.ts';
import { NEVER_TIME } from '../../formats/timestamp.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { CommandError, hasStatus } from '../errors.ts';
import { outputRoom, print, write } from '../show/output.ts';
import { inspect, type ProjectContainer } from './containers.ts';

export interface Followed {
  daemon: DaemonClient;
  project: string;
  containers: readonly ProjectContainer[];
  colors: boolean;
  prefixes: boolean;
}

/** Terminal colors in order of use: cyan, yellow, green, magenta, blue, then their bright versions. */
const COLORS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** @param noColor the command's own flag. @throws CommandError */
export function usesColors(ansi = process.env.COMPOSE_ANSI || 'auto', noColor = false): boolean {
  if (!['auto', 'always', 'never'].includes(ansi))
    throw new CommandError(`invalid --ansi option ${JSON.stringify(ansi)}: it is auto, always, never`);
  return ansi === 'always' || (ansi === 'auto' && Boolean(process.stdout.isTTY) && !noColor);
}

/** The prefix of each container: 'web-1  | '. */
export function prefixesOf({ project, containers, colors, prefixes }: Followed): Map<string, string> {
  const short = ({ name }: ProjectContainer) =>
    name.startsWith(`${project}-`) ? name.slice(project.length + 1) : name;
  const width = Math.max(0, ...containers.map(each => short(each).length));
  return new Map(
    containers.map((each, index) => {
      const text = `${short(each).padEnd(width)}  | `;
      const color = COLORS[index % COLORS.length];
      return [each.id, prefixes ? (colors ? `\x1b[${color}m${text}\x1b[0m` : text) : ''];
    }),
  );
}

export interface LogQuery {
  follow?: boolean;
  since?: string | undefined;
  until?: string | undefined;
  tail?: string | undefined;
  timestamps?: boolean;
}

/** Prints until the log ends; a followed log ends with its container. */
export async function showLog(
  daemon: DaemonClient,
  container: { id: string; prefix: string },
  query: LogQuery,
): Promise<void> {
  const { id, prefix } = container;
  const { Config } = await inspect(daemon, id);
  const { body } = await daemon.request('GET', `/containers/${id}/logs`, {
    query: { stdout: true, stderr: true, tail: 'all', ...query },
  });
  const decoder = Config.Tty ? undefined : frameDecoder();
  const rests: Record<string, Buffer> = {};
  const take = (stream: string, data: Uint8Array) => {
    let rest = Buffer.concat([rests[stream] ?? Buffer.alloc(0), data]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      write(Buffer.concat([Buffer.from(prefix), rest.subarray(0, end + 1)]));
      rest = rest.subarray(end + 1);
    }
    rests[stream] = rest;
  };
  for await (const chunk of body) {
    await outputRoom();
    if (decoder) for (const { stream, data } of decoder.push(chunk)) take(stream, data);
    else take('stdout', chunk);
  }
  for (const rest of Object.values(rests))
    if (rest.length > 0) write(Buffer.concat([Buffer.from(prefix), rest, Buffer.from('\n')]));
}

/** Prints new output across restarts; resolves with the exit code when the container has ended for good. */
export async function followToEnd(
  daemon: DaemonClient,
  container: { id: string; prefix: string; label: string },
  { since, timestamps = false }: Pick<LogQuery, 'since' | 'timestamps'>,
): Promise<number> {
  let from = since;
  for (;;) {
    try {
      await showLog(daemon, container, { follow: true, since: from, timestamps });
      const { State } = await inspect(daemon, container.id);
      if (!State.Running && !State.Restarting) {
        print(`${container.label} exited with code ${State.ExitCode}`);
        return State.ExitCode;
      }
      from = State.FinishedAt === NEVER_TIME ? from : State.FinishedAt;
      if (State.Restarting) await sleep(50);
    } catch (error) {
      // The container was removed in the meantime.
      if (hasStatus(error, 404)) return 0;
      throw error;
    }
  }
}

/** Time of the last output, by the daemon's clock; undefined for a container that has never run. */
export async function lastOutput(
  daemon: DaemonClient,
  { id, state }: ProjectContainer,
): Promise<string | undefined> {
  const { State } = await inspect(daemon, id);
  if (state === 'running') return String(Date.now() / 1000);
  return State.FinishedAt === NEVER_TIME ? undefined : State.FinishedAt;
}
