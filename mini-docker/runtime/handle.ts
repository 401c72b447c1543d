// The handle of a container that was created or found again. It knows its processes by pid and start time and opens a pidfd
// for each use, so that a signal reaches no later process with the same pid: kept open, the pidfds of 5,000 containers
// would take half of the descriptors that a daemon may commonly have.
import { closeSync, openSync } from 'node:fs';
import type { ExplainedStep } from '../formats/explanation.ts';
import type { Resources, Spec } from '../formats/oci/runtime-spec.ts';
import { O, SIG } from '../linux/constants.ts';
import { moveUp } from '../linux/descriptor-room.ts';
import { watchExit } from '../linux/exits.ts';
import { HeldProcess } from '../linux/held-process.ts';
import type { ProcessIdentity } from '../linux/proc/identity.ts';
import { watchReadable } from '../linux/readable.ts';
import type { Cgroup } from './cgroups/cgroup.ts';
import type { Container, ExecOptions, Execution, Exit, Stats } from './container.ts';
import { FD } from './descriptors.ts';
import { execInside } from './exec.ts';
import { oomKillOf } from './oom-kill.ts';
import { readExit } from './state.ts';
import { openStreams, type StreamDescriptors } from './streams.ts';
import { CLOSE_STDIN } from './waiter.ts';

export interface HandleOptions {
  id: string;
  directory: string;
  spec: Spec;
  /** Its first process. */
  process: ProcessIdentity;
  monitor: ProcessIdentity;
  /** The pipe that ends with the container; undefined when the monitor is gone. */
  ended: number | undefined;
  descriptors: StreamDescriptors;
  cgroup: Cgroup | undefined;
  start(): Promise<void>;
  trace: (() => ExplainedStep[]) | undefined;
}

/** The handle takes ownership of the descriptors; delete() closes them. */
export function containerHandle(options: HandleOptions): Container {
  const { id, directory, spec, process, monitor, ended, descriptors, cgroup, trace } = options;
  // Dropped after use: it holds the whole program of the start, some hundred kilobytes.
  let start: HandleOptions['start'] | undefined = options.start;
  const signal = (identity: ProcessIdentity, number: number): boolean => {
    using held = HeldProcess.known(identity);
    return held?.signal(number) === true;
  };
  for (const each of Object.values(descriptors)) each?.moveUp();
  const streams = openStreams(descriptors, () => signal(monitor, CLOSE_STDIN));
  const { stdin } = streams;
  let over = false;
  const exited = end({ directory, ended, process, cgroup }).then(exit => {
    over = true;
    return exit;
  });
  const { promise: unmounted, resolve: tellUnmounted } = Promise.withResolvers<void>();
  let deletion: Promise<void> | undefined;

  const remove = async () => {
    if (!over) cgroup?.kill();
    if (!over) signal(process, SIG.KILL);
    await exited;
    streams.close();
    // It has the last reference to the root, and no client has to wait for what the kernel writes before its end.
    Promise.resolve(HeldProcess.known(monitor)?.kill()).then(tellUnmounted, tellUnmounted);
    await cgroup?.delete();
  };

  return {
    id,
    pid: process.pid,
    ...(stdin && { stdin }),
    get stdout() {
      return streams.stdout!;
    },
    get stderr() {
      return streams.stderr!;
    },
    outputs: descriptors,
    async start() {
      const begin = start;
      start = undefined;
      await begin?.();
    },
    exited,
    kill: number => signal(process, number),
    pause: () => existing(cgroup, id).freeze(),
    resume: () => existing(cgroup, id).thaw(),
    resize: streams.resize,
    update: async (resources: Resources) => existing(cgroup, id).update(resources),
    stats: async (): Promise<Stats> => existing(cgroup, id).stats(),
    onOomKill(listener) {
      if (over) return;
      const watch = cgroup?.watchOomKills(listener);
      void exited.then(() => watch?.stop());
    },
    oomKill: () => (cgroup !== undefined && cgroup.oomKills() > 0 ? oomKillOf(cgroup) : undefined),
    processes: () => cgroup?.processes() ?? [],
    async exec(exec: ExecOptions): Promise<Execution> {
      using held = HeldProcess.known(process);
      if (held === undefined) throw new Error(`container ${id} has ended`);
      return await execInside({ id, spec, pidfd: held.pidfd, cgroup: existing(cgroup, id), exec });
    },
    trace: () => trace?.(),
    openLayers() {
      using held = HeldProcess.known(monitor);
      try {
        return held && openSync(`/proc/${monitor.pid}/fd/${FD.root}`, O.PATH | O.DIRECTORY);
      } catch {
        return undefined;
      }
    },
    unmounted,
    delete: () => {
      deletion ??= remove().catch(error => {
        tellUnmounted();
        throw error;
      });
      return deletion;
    },
  };
}

async function end(options: {
  directory: string;
  ended: number | undefined;
  process: ProcessIdentity;
  cgroup: Cgroup | undefined;
}): Promise<Exit> {
  const { directory, ended, process, cgroup } = options;
  if (ended !== undefined) await endOf(moveUp(ended));
  let record = readExit(directory);
  // The monitor was killed: the container may still run, and its exit will never be known.
  using held = record === undefined ? HeldProcess.known(process) : undefined;
  if (held !== undefined) {
    await watchExit(held.pidfd);
    record = readExit(directory);
  }
  const oomKilled = (cgroup?.oomKills() ?? 0) > 0;
  return record === undefined ? { code: undefined, oomKilled, at: new Date() } : { ...record, oomKilled };
}

/** Nothing is ever written to the pipe, so it becomes readable when its last writer has closed it. */
function endOf(fd: number): Promise<void> {
  return new Promise(resolve => {
    const watch = watchReadable(fd, () => {
      watch.stop();
      closeSync(fd);
      resolve();
    });
  });
}

function existing(cgroup: Cgroup | undefined, id: string): Cgroup {
  if (cgroup === undefined) throw new Error(`container ${id} has ended`);
  return cgroup;
}
