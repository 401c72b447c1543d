// The handle of a container that was created or found again. It works through descriptors, which stay valid
// whatever happens to the pids.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExplainedStep } from '../formats/explanation.ts';
import type { Resources, Spec } from '../formats/oci/runtime-spec.ts';
import { SIG } from '../linux/constants.ts';
import { watchExit } from '../linux/exits.ts';
import type { HeldProcess } from '../linux/held-process.ts';
import { readableOf } from '../linux/pipes.ts';
import type { Cgroup } from './cgroups/cgroup.ts';
import type { Container, ExecOptions, Execution, Exit, Stats } from './container.ts';
import { execInside } from './exec.ts';
import { oomKillOf } from './oom-kill.ts';
import { exitFile, readExit } from './state.ts';
import { openStreams, type StreamDescriptors } from './streams.ts';
import { CLOSE_STDIN } from './waiter.ts';

export interface HandleOptions {
  id: string;
  directory: string;
  spec: Spec;
  pid: number;
  process: HeldProcess | undefined;
  monitor: HeldProcess | undefined;
  /** The pipe that ends with the container; undefined when the monitor is gone. */
  ended: number | undefined;
  descriptors: StreamDescriptors;
  cgroup: Cgroup | undefined;
  start(): Promise<void>;
  trace: (() => ExplainedStep[]) | undefined;
}

/** The handle takes ownership of the descriptors; delete() closes them. */
export function containerHandle(options: HandleOptions): Container {
  const { id, directory, spec, pid, process, monitor, ended, descriptors, cgroup, trace } = options;
  // Dropped after use: it holds the whole program of the start, some hundred kilobytes.
  let start: HandleOptions['start'] | undefined = options.start;
  const streams = openStreams(descriptors, () => monitor?.signal(CLOSE_STDIN));
  const { stdin } = streams;
  let over = false;
  const exited = end({ directory, ended, process, cgroup }).then(exit => {
    over = true;
    return exit;
  });
  let deletion: Promise<void> | undefined;

  const remove = async (): Promise<void> => {
    if (!over) cgroup?.kill();
    if (!over) process?.signal(SIG.KILL);
    await exited;
    streams.close();
    await monitor?.kill();
    process?.letGo();
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
    outputs: descriptors,
    async start() {
      const begin = start;
      start = undefined;
      await begin?.();
    },
    exited,
    kill: signal => process?.signal(signal) === true,
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
    exec: (exec: ExecOptions): Promise<Execution> =>
      execInside({ id, spec, pidfd: alive(process, id).pidfd, cgroup: existing(cgroup, id), exec }),
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
  process: HeldProcess | undefined;
  cgroup: Cgroup | undefined;
}): Promise<Exit> {
  const { directory, ended, process, cgroup } = options;
  if (ended !== undefined) await endOf(ended);
  let record = readExit(directory);
  // The monitor was killed: the container may still run, and its exit will never be known.
  if (record === undefined && process !== undefined) {
    await watchExit(process.pidfd);
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

function alive(process: HeldProcess | undefined, id: string): HeldProcess {
  if (process === undefined) throw new Error(`container ${id} has ended`);
  return process;
}

function existing(cgroup: Cgroup | undefined, id: string): Cgroup {
  if (cgroup === undefined) throw new Error(`container ${id} has ended`);
  return cgroup;
}
