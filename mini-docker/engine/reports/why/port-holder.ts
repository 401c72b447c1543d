// Who has a port of the host: a container that publishes it, or a program.

import { readdirSync, readlinkSync } from 'node:fs';
import { quietly } from '../../../formats/quietly.ts';
import { allPids } from '../../../linux/proc/pids.ts';
import { listeningSockets } from '../../../linux/proc/sockets.ts';
import { readStat } from '../../../linux/proc/stat.ts';
import type { EngineContext } from '../../state/context.ts';

export interface PortHolder {
  /** 'the container web' or 'the program nginx (pid 4711)' */
  who: string;
  /** How it gives the port up. */
  advice: string;
}

/** undefined when nobody has it any more, or its program cannot be seen. */
export function portHolder(
  context: EngineContext,
  { port, protocol }: { port: number; protocol: string },
): PortHolder | undefined {
  const container = [...context.containers].find(
    ({ isRunning, record }) =>
      isRunning &&
      Object.entries(record.ports ?? {}).some(
        ([inside, bindings]) =>
          inside.endsWith(`/${protocol}`) && bindings?.some(({ HostPort }) => HostPort === String(port)),
      ),
  );
  if (container !== undefined)
    return {
      who: `the container ${container.name}`,
      advice: `End that one ('mini-docker stop ${container.name}'), or publish another port.`,
    };
  const socket = listeningSockets(process.pid).find(each => each.port === port && each.protocol === protocol);
  const pid = socket && ownerOf(socket.inode);
  if (pid === undefined) return undefined;
  return {
    who: `the program ${readStat(pid)?.comm ?? ''} of this host (pid ${pid})`,
    advice: 'End that program or give it another port, or publish another one.',
  };
}

/** A process that has the socket open. */
function ownerOf(inode: number): number | undefined {
  const link = `socket:[${inode}]`;
  return allPids().find(pid => {
    // Another user's processes cannot be looked at, and any may end meanwhile.
    const open = quietly(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
    return open.some(fd => quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === link);
  });
}
