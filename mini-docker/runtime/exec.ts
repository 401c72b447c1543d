// Executes a further process in a running container. It joins the container's cgroup, and all its namespaces
// by one setns(2) on a pidfd; then it has to fork, since only children enter a joined pid namespace.
import { closeSync, openSync } from 'node:fs';
import { conflict } from '../formats/errors.ts';
import type { Process, Spec } from '../formats/oci/runtime-spec.ts';
import { failureOf } from '../linux/child.ts';
import { CLONE, SIG } from '../linux/constants.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { takeFd } from '../linux/pidfd.ts';
import { pipe } from '../linux/pipes.ts';
import { because, resultOf, type Step } from '../linux/step.ts';
import { SyscallError } from '../linux/syscall-error.ts';
import { dup3, setns, setsid } from '../linux/syscalls.ts';
import { ensureProfile } from './apparmor.ts';
import { afterBirth, birth, type CgroupEntry, joinItems } from './birth.ts';
import type { Cgroup } from './cgroups/cgroup.ts';
import type { ExecOptions, Execution } from './container.ts';
import { FD } from './descriptors.ts';
import { closeDescriptors, execute, workingDirectory } from './execution.ts';
import { Gate } from './gate.ts';
import { limits, ownStreams, rights } from './identity.ts';
import { compileImage, type ImageProcess, startImage } from './image-process.ts';
import { labelItems } from './labels.ts';
import { lastCapability } from './last-capability.ts';
import { NAMESPACE_FLAG } from './namespaces.ts';
import { setOomScore } from './oom-score.ts';
import { withDetachedNull } from './own-null.ts';
import { scheduling } from './scheduling.ts';
import { listenerOf, loadFilter } from './seccomp/load.ts';
import { ownKeyring, undumpable } from './secrets.ts';
import { type Section, section } from './section.ts';
import { waitForDaemon } from './start-program.ts';
import { closeAll, openStreams, own, type StreamDescriptors } from './streams.ts';
import { openTerminal } from './terminal.ts';
import { giveStreams } from './user-namespace.ts';

/** The program of an exec: a pure function, like that of a start. */
export function execProgram(options: {
  spec: Spec;
  process: Process;
  /** Whether standard input is a pipe, or that 0, 1 and 2 are the program's streams already. */
  stdin: boolean | 'inherited';
  /** Streams that become the program's user's. */
  pipes: readonly number[];
  enterCgroup: CgroupEntry;
  lastCapability: number;
  /** Descriptors from 3 on that reach the program; they come in behind those of FD. */
  passed?: number;
  /** Whether setgroups(2) is denied there. */
  keepGroups?: boolean;
}): { sections: Section[]; pid: Uint8Array; listener: Step | undefined } {
  const { spec, process, stdin, pipes, enterCgroup, passed = 0, keepGroups = false } = options;
  const types = spec.linux.namespaces.map(({ type }) => type);
  const flags = types.reduce((sum, type) => sum | NAMESPACE_FLAG[type], 0);
  // A process in the container's cgroup namespace sees only the cgroup there, and could not move a process
  // from outside into it.
  const later = enterCgroup === 'born in it' ? flags & CLONE.NEWCGROUP : 0;
  const pid = new Uint8Array(4);
  const clone = birth({ flags: CLONE.PARENT, pid, cgroup: enterCgroup });
  const size = process.consoleSize && {
    rows: process.consoleSize.height,
    columns: process.consoleSize.width,
  };
  const filter = loadFilter(spec.linux.seccomp);
  const listener = listenerOf(spec.linux.seccomp, filter);
  const sections = [
    section('secrets', ownKeyring(), undumpable()),
    section(
      'nothing',
      stdin !== false || process.terminal === true ? [] : withDetachedNull(fd => [dup3(resultOf(fd), 0, 0)]),
    ),
    section("through the host's /proc", labelItems(process)),
    section('control group', joinItems(enterCgroup)),
    section('namespaces', because("all of the container's at once", setns(FD.container, flags & ~later)), [
      {
        control: 'fork',
        step: because('a joined pid namespace takes in children only; the daemon stays the parent', clone),
        parent: 'done',
      },
    ]),
    section('cgroup namespace', afterBirth(enterCgroup), later === 0 ? [] : [setns(FD.container, later)]),
    section(
      'session and streams',
      setsid(),
      process.terminal === true
        ? openTerminal(FD.terminal, size)
        : stdin === 'inherited'
          ? []
          : [...(stdin ? [dup3(FD.stdin, 0, 0)] : []), dup3(FD.stdout, 1, 0), dup3(FD.stderr, 2, 0)],
    ),
    section('working directory', workingDirectory(process, false)),
    section(
      'user and rights',
      ownStreams(process, pipes),
      limits(process),
      scheduling(process, spec.linux),
      ...rights(process, {
        lastCapability: options.lastCapability,
        loadsFilter: filter.length > 0,
        keepGroups,
      }),
    ),
    section('system calls', listener === undefined ? [] : filter),
    waitForDaemon('wait for the daemon', 'the daemon has taken what it needs'),
    section('program', closeDescriptors(passed), execute(process, listener === undefined ? filter : [])),
    section('the one that forked', [
      { control: 'label', name: 'done' },
      { control: 'exit', status: 0 },
    ]),
  ];
  return { sections: sections.filter(({ items }) => items.length > 0), pid, listener };
}

/** @throws SyscallError when the program cannot be executed, as in Container.start */
export async function execInside(options: {
  id: string;
  spec: Spec;
  pidfd: number;
  cgroup: Cgroup;
  exec: ExecOptions;
}): Promise<Execution> {
  const { id, spec, pidfd, cgroup, exec } = options;
  const { process, stdin, signal } = exec;
  // Without the container's namespaces, rights and filter, nothing may be started in it.
  if (spec.process.args.length === 0) {
    throw conflict(`nothing can be executed in ${id.slice(0, 12)}: its spec is lost`);
  }
  const terminal = process.terminal === true;
  ensureProfile(process.apparmorProfile);
  const program = execProgram({
    spec,
    process,
    stdin,
    pipes: stdin ? [0, 1, 2] : [1, 2],
    enterCgroup: cgroup.version === 2 ? 'born in it' : { join: cgroup.joinSteps() },
    lastCapability: lastCapability(),
  });

  using theirs = new DisposableStack();
  using ours = new DisposableStack();
  const descriptors: [fd: number, number: number][] = [[pidfd, FD.container]];
  if (cgroup.version === 2) {
    descriptors.push([theirs.adopt(openSync(cgroup.directories[0]!, 'r'), closeSync), FD.cgroup]);
  }
  const connect = (number: number, mine: 'reader' | 'writer'): number => {
    const { readEnd, writeEnd } = pipe();
    const [own, other] = mine === 'reader' ? [readEnd, writeEnd] : [writeEnd, readEnd];
    descriptors.push([theirs.adopt(other, closeSync), number]);
    return ours.adopt(own, closeSync);
  };
  const ready = connect(FD.ready, 'reader');
  const go = connect(FD.go, 'writer');
  const numbers = terminal
    ? {}
    : {
        stdin: stdin ? connect(FD.stdin, 'writer') : undefined,
        stdout: connect(FD.stdout, 'reader'),
        stderr: connect(FD.stderr, 'reader'),
      };
  // Before the process starts, which gives them to its own user.
  giveStreams(spec, Object.values(numbers));
  const doing = `cannot execute ${process.args[0]} in ${id.slice(0, 12)}`;
  const compiled = compileImage(program.sections.flatMap(({ items }) => items));
  const first = startImage({ program: compiled, descriptors, argv: ['mini-docker-exec', id], doing });
  theirs.dispose();
  ours.move();

  const streams = own(numbers);
  const bornPid = (): number => first.results.buffer(program.pid).readInt32LE();
  const born = () => (bornPid() === 0 ? undefined : HeldProcess.of(bornPid()));
  const gate = new Gate(ready, go, bornPid);
  let child: HeldProcess | undefined;
  const kill = (): void => {
    first.process.signal(SIG.KILL);
    child?.signal(SIG.KILL);
  };
  signal?.addEventListener('abort', kill);
  if (signal?.aborted) kill();
  try {
    const waits = await gate.arrived();
    child = born();
    if (!waits || child === undefined) {
      throw failureOf(first.results, doing) ?? new Error('it was killed before its program ran');
    }
    if (signal?.aborted) kill();
    setOomScore(bornPid(), process.oomScoreAdj ?? spec.process.oomScoreAdj, doing);
    if (terminal) streams.terminal = new Descriptor(takeFd(child.pidfd, FD.terminal));
    gate.open();
    await gate.arrived();
    const failure = failureOf(first.results, doing);
    if (failure !== undefined) throw failure;
    void reap(first);
    return execution({ pid: bornPid(), process: child, descriptors: streams });
  } catch (error) {
    // A stopped process does not see the end of the pipe. It is in the container, and has to be killed.
    child ??= born();
    kill();
    closeAll(streams);
    // Until they are reaped the container's cgroup counts them.
    await Promise.all([child?.ended(), reap(first)]);
    throw error instanceof SyscallError ? error : new Error(`${doing}: ${(error as Error).message}`);
  } finally {
    gate.close();
  }
}

/** Waits for the end of the process that forked, whose work is done. */
async function reap(first: ImageProcess): Promise<void> {
  first.release();
  await first.process.ended();
}

function execution(options: {
  pid: number;
  process: HeldProcess;
  descriptors: StreamDescriptors;
}): Execution {
  const { pid, process, descriptors } = options;
  const streams = openStreams(descriptors);
  const { stdin } = streams;
  const exited = process.ended().then(status => {
    const { code, signal } = status!;
    return { code, ...(signal === undefined ? {} : { signal }), oomKilled: false, at: new Date() };
  });
  return {
    pid,
    ...(stdin && { stdin }),
    get stdout() {
      return streams.stdout!;
    },
    get stderr() {
      return streams.stderr!;
    },
    outputs: descriptors,
    exited,
    kill: signal => process.signal(signal),
    resize: streams.resize,
    close: streams.close,
  };
}
