// Implements the runtime: creates, starts and adopts containers. container.ts describes each operation.
import { closeSync } from 'node:fs';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import { call } from '../linux/call.ts';
import { failureOf } from '../linux/child.ts';
import { SIG } from '../linux/constants.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { makeDirectories } from '../linux/make-directories.ts';
import { takeFd } from '../linux/pidfd.ts';
import { processIdentity, sameProcess } from '../linux/proc/identity.ts';
import { mayFail } from '../linux/step.ts';
import { pidfdGetfd } from '../linux/syscalls.ts';
import { ensureProfile } from './apparmor.ts';
import type { Cgroup } from './cgroups/cgroup.ts';
import { cgroupView, createCgroup, groupOf, openCgroup } from './cgroups/create.ts';
import { explainLimits } from './cgroups/explain.ts';
import { compiledStart, compileStart, listStart, type ProgramOptions } from './compiled-start.ts';
import type { Container, CreateOptions, Runtime } from './container.ts';
import { FD } from './descriptors.ts';
import { explainSections } from './explain.ts';
import { Gate } from './gate.ts';
import { discardHalfMade } from './half-made.ts';
import { containerHandle } from './handle.ts';
import { type Monitor, startMonitor } from './monitor.ts';
import { setOomScore } from './oom-score.ts';
import { exitFile, readExit, readState, type State, writeState } from './state.ts';
import { closeAll, own, type StreamDescriptors } from './streams.ts';
import { giveStreams, hasOwnUserNamespace, setUpUserNamespace } from './user-namespace.ts';

export function createRuntime(): Runtime {
  return { create, adopt, discard: discardHalfMade, explain };
}

function explain(options: ProgramOptions) {
  const { spec } = options;
  const limits = explainLimits({ ...groupOf(spec), resources: spec.linux.resources ?? {} });
  return [...limits, ...explainSections(listStart(options).sections)];
}

async function create(options: CreateOptions): Promise<Container> {
  const { id, directory, spec, stdin, trace = false } = options;
  const doing = `cannot start ${id.slice(0, 12)}`;
  const terminal = spec.process.terminal === true;
  makeDirectories(spec.root.path);
  ensureProfile(spec.process.apparmorProfile);
  const traced = trace ? listStart(options) : undefined;
  const { compiled, pid: pidAt } = traced ? compileStart(traced, true) : compiledStart(options);
  const { cgroupsPath, resources = {} } = spec.linux;
  const makeCgroup = (): Cgroup => createCgroup({ ...groupOf(spec), resources });
  let cgroup = cgroupView(groupOf(spec)).version === 2 ? makeCgroup() : undefined;
  let monitor: Monitor;
  try {
    monitor = startMonitor({
      id,
      program: compiled,
      init: options.init === true ? spec.process : undefined,
      exitFile: exitFile(directory),
      cgroup: cgroup?.directories[0],
      terminal,
      stdin,
      doing,
    });
  } catch (error) {
    await cgroup?.delete();
    throw error;
  }
  const gate = new Gate(monitor.ready, monitor.go, () => pidOf({ monitor, pidAt }));
  const descriptors = monitor.streams;
  let held: HeldProcess | undefined;
  let identities: Pick<State, 'container' | 'monitor'>;
  let begin: () => Promise<void>;
  try {
    giveStreams(
      spec,
      Object.values(descriptors).map(each => each?.number),
    );
    // The monitor clones the process meanwhile, which takes as long.
    cgroup ??= makeCgroup();
    if (cgroup.version === 1 && !hasOwnUserNamespace(spec)) gate.open();
    const pid = await waitForNamespaces({ monitor, gate, container: options, cgroup, pidAt, doing });
    if (cgroup.version === 'none') cgroup.join(pid);
    setOomScore(pid, spec.process.oomScoreAdj, doing);
    const meanwhile = async (): Promise<Pick<State, 'container' | 'monitor'>> => {
      held = HeldProcess.of(pid);
      const container = processIdentity(pid);
      if (held === undefined || container === undefined)
        throw new Error(`${doing}: its process was killed before the program ran`);
      const identities = { container, monitor: processIdentity(monitor.pid)! };
      await options.onNamespaces?.(pid);
      writeState(directory, { ...identities, cgroupsPath, terminal, stdin });
      return identities;
    };
    // The process makes its mounts while the engine connects the network.
    const arrived = arrive({ monitor, gate, doing });
    begin = () => letRun({ arrived, gate, monitor, doing });
    identities = await unlessFailed(arrived, meanwhile());
    if (terminal) await arrived;
    if (terminal) descriptors.terminal = new Descriptor(takeFd(monitor.process.pidfd, FD.terminal));
    held?.letGo();
    monitor.process.letGo();
  } catch (error) {
    gate.close();
    monitor.release();
    closeAll(descriptors);
    closeSync(monitor.ended);
    // Before its parent dies: the kernel would then wake it if it is stopped, and it would continue and join
    // the cgroup.
    const pid = pidOf({ monitor, pidAt });
    held ??= pid === 0 ? undefined : HeldProcess.of(pid);
    held?.signal(SIG.KILL);
    held?.letGo();
    cgroup?.kill();
    await monitor.process.kill();
    await cgroup?.delete();
    throw error;
  }
  return containerHandle({
    id,
    directory,
    spec,
    process: identities.container,
    monitor: identities.monitor,
    ended: monitor.ended,
    descriptors,
    cgroup,
    start: begin,
    trace: traced && (() => explainSections(traced.sections, monitor.results)),
  });
}

/** If the process fails meanwhile, the work fails because of that, and its error says less. */
async function unlessFailed<T>(arrived: Promise<void>, work: Promise<T>): Promise<T> {
  // start() reports a process that fails later.
  arrived.catch(() => {});
  return await work.catch(error => arrived.then(() => Promise.reject(error)));
}

/** @returns the pid of the container's first process, which continues with its mounts */
async function waitForNamespaces(options: {
  monitor: Monitor;
  gate: Gate;
  container: CreateOptions;
  cgroup: Cgroup;
  pidAt: Uint8Array;
  doing: string;
}): Promise<number> {
  const { monitor, gate, cgroup, pidAt, doing } = options;
  const { spec, rootfs } = options.container;
  const pid = (): number => pidOf({ monitor, pidAt });
  if (hasOwnUserNamespace(spec)) {
    await arrive(options);
    // Its new capabilities do not apply to the cgroup's files.
    if (cgroup.version === 1) cgroup.join(pid());
    await setUpUserNamespace({ pid: pid(), spec, layers: rootfs, doing });
    gate.open();
  }
  await arrive(options);
  return pid();
}

/** Pid on the host; 0 before the process exists. */
function pidOf({ monitor, pidAt }: { monitor: Monitor; pidAt: Uint8Array }): number {
  return monitor.results.buffer(pidAt).readInt32LE();
}

/** Waits until the container's process reports that it has reached its next stop. */
async function arrive({
  monitor,
  gate,
  doing,
}: {
  monitor: Monitor;
  gate: Gate;
  doing: string;
}): Promise<void> {
  if (await gate.arrived()) return;
  throw (
    failureOf(monitor.results, doing) ?? new Error(`${doing}: its process was killed before the program ran`)
  );
}

async function letRun(options: {
  arrived: Promise<void>;
  gate: Gate;
  monitor: Monitor;
  doing: string;
}): Promise<void> {
  const { arrived, gate, monitor, doing } = options;
  // Written before the process asks, so that it does not have to wait.
  gate.open();
  try {
    await arrived;
    await gate.arrived(); // the end of the pipe
  } finally {
    gate.close();
    monitor.release();
  }
  const failure = failureOf(monitor.results, doing);
  if (failure !== undefined) throw failure;
}

async function adopt(options: { id: string; directory: string; spec: Spec }): Promise<Container | undefined> {
  const { id, directory, spec } = options;
  const state = readState(directory);
  if (state === undefined) {
    await discardHalfMade({ directory, cgroupsPath: spec.linux.cgroupsPath });
    return undefined;
  }
  const cgroup = openCgroup(state.cgroupsPath, state.container.pid);
  const monitor = await takeFromMonitor(state);
  const isThere = sameProcess(state.container);
  if (monitor === undefined && !isThere && readExit(directory) === undefined) {
    await cgroup?.delete();
    return undefined;
  }
  if (cgroup?.version === 'none' && isThere) cgroup.join(state.container.pid);
  return containerHandle({
    id,
    directory,
    spec,
    process: state.container,
    monitor: state.monitor,
    ended: monitor?.ended,
    descriptors: monitor?.streams ?? {},
    cgroup,
    start: async () => {},
    trace: undefined,
  });
}

/**
 * Copies the daemon's ends of the container's streams out of its monitor; undefined when the monitor is gone.
 */
async function takeFromMonitor(
  state: State,
): Promise<{ ended: number; streams: StreamDescriptors } | undefined> {
  using held = HeldProcess.known(state.monitor);
  if (held === undefined) return undefined;
  const { pidfd } = held;
  /** Standard input is missing if it was closed before. */
  const take = (number: number): number | undefined => {
    const fd = call(mayFail(pidfdGetfd(pidfd, number, 0), 'EBADF', 'ESRCH'));
    return fd < 0 ? undefined : fd;
  };
  const ended = take(FD.endedReader);
  // A zombie: it was killed, and its parent does not reap it.
  if (ended === undefined) return undefined;
  const streams = state.terminal
    ? { terminal: take(FD.terminal) }
    : {
        stdin: state.stdin ? take(FD.stdinWriter) : undefined,
        stdout: take(FD.stdoutReader),
        stderr: take(FD.stderrReader),
      };
  return { ended, streams: own(streams) };
}
