// A container that was made, or found again: what can be done with it, through descriptors that stand for its processes
// whatever becomes of their pids.
import { closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExplainedStep } from '../formats/explanation.ts';
import type { Resources, Spec } from '../formats/oci/runtime-spec.ts';
import { SIG } from '../linux/constants.ts';
import { reap, watchExit } from '../linux/exits.ts';
import { killProcess } from '../linux/pidfd.ts';
import { readableOf } from '../linux/pipes.ts';
import { resizePty } from '../linux/pty.ts';
import type { Cgroup } from './cgroups/cgroup.ts';
import type { Container, ExecOptions, Execution, Exit, Stats } from './container.ts';
import { execInside } from './exec.ts';
import { exitFile, readExit } from './state.ts';
import { openStreams, type StreamDescriptors } from './streams.ts';
import { CLOSE_STDIN } from './waiter.ts';

export interface HandleOptions {
  id: string;
  directory: string;
  spec: Spec;
  pid: number;
  pidfd: number | undefined;
  monitorPidfd: number | undefined;
  /** The pipe that ends with the container; undefined when the monitor is gone. */
  ended: number | undefined;
  descriptors: StreamDescriptors;
  cgroup: Cgroup | undefined;
  start(): Promise<void>;
  trace: (() => ExplainedStep[]) | undefined;
}

/** The descriptors are the handle's from here on; delete() closes them. */
export function containerHandle(options: HandleOptions): Container {
  const { id, directory, spec, pid, pidfd, monitorPidfd, ended, descriptors, cgroup, trace } = options;
  // Let go of once it is done: it holds the whole program of the start, some hundred kilobytes.
  let start: HandleOptions['start'] | undefined = options.start;
  const streams = openStreams(descriptors, () => {
    if (monitorPidfd !== undefined) ignoreGone(() => killProcess(monitorPidfd, CLOSE_STDIN));
  });
  const { stdin } = streams;
  let over = false;
  const exited = end({ directory, ended, pidfd, cgroup }).then(exit => {
    over = true;
    return exit;
  });
  let deletion: Promise<void> | undefined;

  const remove = async (): Promise<void> => {
    if (!over) cgroup?.kill();
    if (!over && pidfd !== undefined) ignoreGone(() => killProcess(pidfd, SIG.KILL));
    await exited;
    streams.close();
    if (monitorPidfd !== undefined) await endMonitor(monitorPidfd);
    if (pidfd !== undefined) closeSync(pidfd);
    await cgroup?.delete();
    for (const file of [join(directory, 'state.json'), exitFile(directory)]) rmSync(file, { force: true });
  };

  return {
    id,
    pid,
    ...(stdin && { stdin }),
    get stdout() {
      return streams.stdout!;
    },
    get stderr() {
      return streams.stderr!;
    },
    outputs: {
      stdout: descriptors.stdout,
      stderr: descriptors.stderr,
      terminal: descriptors.terminal,
    },
    async start() {
      const begin = start;
      start = undefined;
      await begin?.();
    },
    exited,
    kill: signal => killProcess(alive(pidfd, id), signal),
    pause: () => existing(cgroup, id).freeze(),
    resume: () => existing(cgroup, id).thaw(),
    resize(size) {
      if (descriptors.terminal !== undefined && !over) resizePty(descriptors.terminal, size);
    },
    update: async (resources: Resources) => existing(cgroup, id).update(resources),
    stats: async (): Promise<Stats> => existing(cgroup, id).stats(),
    onOomKill(listener) {
      if (over) return;
      const watch = cgroup?.watchOomKills(listener);
      void exited.then(() => watch?.stop());
    },
    processes: () => cgroup?.processes() ?? [],
    exec: (exec: ExecOptions): Promise<Execution> =>
      execInside({ id, spec, pidfd: alive(pidfd, id), cgroup: existing(cgroup, id), exec }),
    trace: () => trace?.(),
    delete: () => {
      deletion ??= remove();
      return deletion;
    },
  };
}

async function end(options: {
  directory: string;
  ended: number | undefined;
  pidfd: number | undefined;
  cgroup: Cgroup | undefined;
}): Promise<Exit> {
  const { directory, ended, pidfd, cgroup } = options;
  if (ended !== undefined) await endOf(ended);
  let record = readExit(directory);
  // The monitor was killed: the container may run on, and nobody will ever know how it ended.
  if (record === undefined && pidfd !== undefined) {
    await watchExit(pidfd);
    record = readExit(directory);
  }
  const oomKilled = (cgroup?.oomKills() ?? 0) > 0;
  return record === undefined ? { code: undefined, oomKilled, at: new Date() } : { ...record, oomKilled };
}

function endOf(fd: number): Promise<void> {
  return new Promise(resolve => {
    readableOf(fd)
      .on('error', () => {})
      .on('close', () => resolve())
      .resume();
  });
}

/** Kills the monitor and, where it is our child, takes its zombie away. */
export async function endMonitor(pidfd: number): Promise<void> {
  ignoreGone(() => killProcess(pidfd, SIG.KILL));
  await watchExit(pidfd);
  ignoreGone(() => reap(pidfd));
  closeSync(pidfd);
}

function ignoreGone(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'ECHILD') throw error;
  }
}

function alive(pidfd: number | undefined, id: string): number {
  if (pidfd === undefined) throw new Error(`container ${id} has ended`);
  return pidfd;
}

function existing(cgroup: Cgroup | undefined, id: string): Cgroup {
  if (cgroup === undefined) throw new Error(`container ${id} has ended`);
  return cgroup;
}
