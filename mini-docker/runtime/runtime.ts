// One container at run time: made, started, found again. container.ts says what each does for its caller.
import { closeSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import type { IdMapping, Spec } from '../formats/runtime-spec.ts';
import { call } from '../linux/call.ts';
import { failureOf } from '../linux/child.ts';
import { takeFd } from '../linux/pidfd.ts';
import { openProcess, processIdentity } from '../linux/proc/identity.ts';
import { pidfdOpen } from '../linux/syscalls.ts';
import { cgroupView, createCgroup, joinSteps, openCgroup } from './cgroups/create.ts';
import type { Container, CreateOptions, Runtime } from './container.ts';
import { FD } from './descriptors.ts';
import { explainSections } from './explain.ts';
import { Gate } from './gate.ts';
import { containerHandle, endMonitor } from './handle.ts';
import { lastCapability } from './last-capability.ts';
import { type Monitor, startMonitor } from './monitor.ts';
import { type StartProgram, startProgram } from './start-program.ts';
import { exitFile, readExit, readState, writeState } from './state.ts';
import type { StreamDescriptors } from './streams.ts';

export function createRuntime(): Runtime {
  return { create, adopt, explain };
}

function explain(options: Pick<CreateOptions, 'spec' | 'rootfs' | 'stdin' | 'init'>) {
  return explainSections(programOf(options).sections);
}

function programOf(options: Pick<CreateOptions, 'spec' | 'rootfs' | 'stdin' | 'init'>): StartProgram {
  return startProgram(options.spec, {
    layers: options.rootfs,
    stdin: options.stdin,
    init: options.init === true,
    joinCgroup: joinSteps(options.spec.linux.cgroupsPath),
    cgroup: cgroupView(options.spec.linux.cgroupsPath),
    // What is missing fails when it is opened, with its path in the error.
    isDirectory: source => statSync(source, { throwIfNoEntry: false })?.isDirectory() ?? true,
    lastCapability: lastCapability(),
  });
}

async function create(options: CreateOptions): Promise<Container> {
  const { id, directory, spec, stdin, trace = false } = options;
  const doing = `cannot start ${id.slice(0, 12)}`;
  const terminal = spec.process.terminal === true;
  mkdirSync(spec.root.path, { recursive: true });
  const program = programOf(options);
  const items = program.sections.flatMap(section => section.items);
  const cgroup = createCgroup({ path: spec.linux.cgroupsPath, resources: spec.linux.resources ?? {} });
  let monitor: Monitor;
  try {
    monitor = await startMonitor({
      id,
      items,
      init: options.init === true ? spec.process : undefined,
      exitFile: exitFile(directory),
      terminal,
      stdin,
      trace,
      doing,
    });
  } catch (error) {
    await cgroup.delete();
    throw error;
  }
  const gate = new Gate(monitor.ready, monitor.go);
  const descriptors: StreamDescriptors = {
    stdin: monitor.stdin,
    stdout: monitor.stdout,
    stderr: monitor.stderr,
  };
  let pidfd: number | undefined;
  try {
    const pid = await waitUntilReady({ monitor, gate, spec, program, doing });
    pidfd = call(pidfdOpen(pid, 0));
    if (terminal) descriptors.terminal = takeFd(pidfd, FD.terminal);
    await options.onNamespaces?.(pid);
    const identities = { container: processIdentity(pid)!, monitor: processIdentity(monitor.pid)! };
    writeState(directory, { ...identities, cgroupsPath: spec.linux.cgroupsPath, terminal, stdin });
    return containerHandle({
      id,
      directory,
      spec,
      pid,
      pidfd,
      monitorPidfd: monitor.pidfd,
      ended: monitor.ended,
      descriptors,
      cgroup,
      start: () => letRun({ gate, monitor, doing }),
      ...(trace ? { trace: () => explainSections(program.sections, monitor.results) } : {}),
    });
  } catch (error) {
    gate.close();
    monitor.release();
    for (const fd of [...Object.values(descriptors), monitor.ended]) if (fd !== undefined) closeSync(fd);
    if (pidfd !== undefined) closeSync(pidfd);
    cgroup.kill();
    await endMonitor(monitor.pidfd);
    await cgroup.delete();
    throw error;
  }
}

/** @returns the pid of the container's first process, which waits to run its program */
async function waitUntilReady(options: {
  monitor: Monitor;
  gate: Gate;
  spec: Spec;
  program: StartProgram;
  doing: string;
}): Promise<number> {
  const { monitor, gate, spec, program, doing } = options;
  const arrive = async (): Promise<number> => {
    if (await gate.arrived()) return monitor.results.buffer(program.pid).readInt32LE();
    throw (
      failureOf(monitor.results, doing) ??
      new Error(`${doing}: its process was killed before the program ran`)
    );
  };
  if (spec.linux.namespaces.some(({ type, path }) => type === 'user' && path === undefined)) {
    const pid = await arrive();
    writeFileSync(`/proc/${pid}/uid_map`, mapText(spec.linux.uidMappings));
    writeFileSync(`/proc/${pid}/gid_map`, mapText(spec.linux.gidMappings));
    gate.open();
  }
  return arrive();
}

/** user_namespaces(7), "User and group ID mappings" */
function mapText(mappings: readonly IdMapping[] = []): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}

async function letRun(options: { gate: Gate; monitor: Monitor; doing: string }): Promise<void> {
  const { gate, monitor, doing } = options;
  gate.open();
  await gate.arrived(); // the end of the pipe
  gate.close();
  monitor.release();
  const failure = failureOf(monitor.results, doing);
  if (failure !== undefined) throw failure;
}

async function adopt(options: { id: string; directory: string; spec: Spec }): Promise<Container | undefined> {
  const { id, directory, spec } = options;
  const state = readState(directory);
  if (state === undefined) return undefined;
  const cgroup = openCgroup(state.cgroupsPath);
  const monitorPidfd = openProcess(state.monitor);
  const pidfd = openProcess(state.container);
  if (monitorPidfd === undefined && pidfd === undefined && readExit(directory) === undefined) {
    await cgroup?.delete();
    return undefined;
  }
  return containerHandle({
    id,
    directory,
    spec,
    pid: state.container.pid,
    pidfd,
    monitorPidfd,
    ended: monitorPidfd === undefined ? undefined : takeFd(monitorPidfd, FD.endedReader),
    descriptors: monitorPidfd === undefined ? {} : takeStreams(monitorPidfd, state),
    cgroup,
    start: async () => {},
  });
}

function takeStreams(monitor: number, state: { terminal: boolean; stdin: boolean }): StreamDescriptors {
  if (state.terminal) return { terminal: takeFd(monitor, FD.terminal) };
  return {
    // It may have been closed before.
    stdin: state.stdin ? takeIfOpen(monitor, FD.stdinWriter) : undefined,
    stdout: takeFd(monitor, FD.stdoutReader),
    stderr: takeFd(monitor, FD.stderrReader),
  };
}

function takeIfOpen(monitor: number, number: number): number | undefined {
  try {
    return takeFd(monitor, number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return undefined;
    throw error;
  }
}
