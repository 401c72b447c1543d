// Creates a container up to the point where its program would run. Its state is on disk from the first moment,
// so that `delete` finds everything, however this program ends.
import { closeSync, constants, fstatSync, openSync, realpathSync, statSync } from 'node:fs';
import { ExpectedError } from '../formats/errors.ts';
import { call } from '../linux/call.ts';
import { AT, S_IF } from '../linux/constants.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { takeFd } from '../linux/pidfd.ts';
import { processIdentity } from '../linux/proc/identity.ts';
import { mountOf, readMountinfo } from '../linux/proc/mountinfo.ts';
import { mknodat } from '../linux/syscalls.ts';
import { writeWhole } from '../linux/whole-file.ts';
import { ensureProfile } from '../runtime/apparmor.ts';
import type { Cgroup } from '../runtime/cgroups/cgroup.ts';
import { cgroupView } from '../runtime/cgroups/create.ts';
import { resolvedSpec } from '../runtime/dangling-links.ts';
import { FD, FD_END } from '../runtime/descriptors.ts';
import { lastCapability } from '../runtime/last-capability.ts';
import { setOomScore } from '../runtime/oom-score.ts';
import { hasOwnUserNamespace } from '../runtime/user-namespace.ts';
import { readBundle } from './bundle.ts';
import {
  fifoOf,
  makeDirectory,
  publicState,
  removeDirectory,
  type StoredState,
  writeState,
} from './container-state.ts';
import { withDefaults } from './default-devices.ts';
import { afterwards } from './delete-container.ts';
import { withHome } from './home.ts';
import { runHooks, runHooksInside } from './hooks.ts';
import { writeIdMaps } from './id-maps.ts';
import { type Launched, launch } from './launch.ts';
import { makeMounts, needsMadeMounts } from './made-mounts.ts';
import { makeCgroup } from './processes.ts';
import { ociStartProgram } from './start.ts';
import { giveToSupervisor } from './supervisor.ts';

export interface CreateRequest {
  root: string;
  id: string;
  bundle: string;
  pidFile?: string | undefined;
  noPivot?: boolean | undefined;
  noNewKeyring?: boolean | undefined;
  preserveFds: number;
  /** This program ends before the container does, so that a terminal needs another owner. */
  detached: boolean;
  /** Gets the master of the container's terminal, and owns it. */
  onTerminal?: ((master: number) => void | Promise<void>) | undefined;
}

export interface Created {
  state: StoredState;
  directory: string;
  process: HeldProcess;
  launched: Launched;
}

/** @throws Error; nothing is left then */
export async function createContainer(request: CreateRequest): Promise<Created> {
  const { root, id, bundle } = request;
  const listenFds = passedSockets();
  const read = withDefaults(readBundle(bundle, id), listenFds);
  const { path } = read.root;
  const spec = resolvedSpec(
    { ...read, process: withHome(read.process, path) },
    { directories: [path], openRoot: () => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY) },
  );
  checkTerminal(spec.process.terminal === true, request);
  const directory = makeDirectory(root, id);
  const state: StoredState = {
    id,
    bundle,
    created: new Date().toISOString(),
    owner: process.geteuid!(),
    spec,
  };
  let cgroup: Cgroup | undefined;
  let held: HeldProcess | undefined;
  let launched: Launched | undefined;
  try {
    writeState(directory, state);
    const fifo = fifoOf(directory);
    call(mknodat(AT.FDCWD, fifo, S_IF.IFO | 0o622, 0));
    cgroup = makeCgroup(spec);
    ensureProfile(spec.process.apparmorProfile);
    const passed = listenFds + request.preserveFds;
    using made = new DisposableStack();
    const mounts = needsMadeMounts(spec)
      ? await makeMounts(spec, { first: FD_END + passed, owner: made })
      : undefined;
    const { sections, pid, listener } = ociStartProgram(spec, {
      mounts,
      enterCgroup: cgroup.version === 2 ? 'born in it' : { join: cgroup.joinSteps() },
      cgroup:
        cgroup.version === 'none'
          ? { version: 'none', directories: [] }
          : cgroupView({ path: spec.linux.cgroupsPath }),
      isDirectory: source => statSync(source, { throwIfNoEntry: false })?.isDirectory() ?? true,
      lastCapability: lastCapability(),
      parentMount: mountOf(readMountinfo() ?? [], realpathSync(spec.root.path))?.mountPoint ?? '/',
      pipes: [0, 1, 2].filter(isOwnable),
      passed,
      keyring: request.noNewKeyring !== true,
      pivot: request.noPivot !== true,
    });
    using lent = new DisposableStack();
    const lend = (path: string, flags: number): number => lent.adopt(openSync(path, flags), closeSync);
    launched = await launch({
      sections,
      pid,
      descriptors: [
        [lend(fifo, constants.O_RDWR), FD.fifo],
        // A placeholder: any other file at this number would be closed when the terminal's master gets it.
        ...(spec.process.terminal === true
          ? [[lend('/dev/null', constants.O_RDONLY), FD.terminal] as [number, number]]
          : []),
        ...(cgroup.version === 2
          ? [[lend(cgroup.directories[0]!, constants.O_RDONLY), FD.cgroup] as [number, number]]
          : []),
        ...(mounts?.descriptors ?? []),
        ...Array.from({ length: passed }, (_, index): [number, number] => [3 + index, FD_END + index]),
      ],
      argv: ['mini-docker-runtime', 'init', id],
      program: spec.process.args[0]!,
    });
    if (hasOwnUserNamespace(spec)) {
      arrive(launched);
      writeIdMaps(launched.pid, spec);
      launched.open();
    }
    arrive(launched);
    held = HeldProcess.of(launched.pid);
    if (held === undefined) throw new Error("the container's process was killed before its program ran");
    state.process = processIdentity(launched.pid)!;
    writeState(directory, state);
    if (spec.process.oomScoreAdj !== undefined)
      setOomScore(launched.pid, spec.process.oomScoreAdj, 'unable to start container process');
    const shown = publicState(state, 'creating');
    runHooks(spec, 'prestart', shown);
    runHooks(spec, 'createRuntime', shown);
    launched.open();
    if ((spec.hooks?.createContainer ?? []).length > 0) {
      arrive(launched);
      await runHooksInside({ spec, kind: 'createContainer', state: shown, process: held });
      launched.open();
    }
    arrive(launched);
    if (listener !== undefined)
      giveToSupervisor({
        seccomp: spec.linux.seccomp!,
        pidfd: held.pidfd,
        number: launched.result(listener),
        pid: launched.pid,
        state: publicState(state, 'creating'),
      });
    if (spec.process.terminal === true) await request.onTerminal?.(takeFd(held.pidfd, FD.terminal));
    if (request.pidFile !== undefined) writePidFile(request.pidFile, launched.pid);
    return { state, directory, process: held, launched };
  } catch (error) {
    const { pid = 0 } = launched ?? {};
    held ??= pid === 0 ? undefined : HeldProcess.of(pid);
    launched?.close();
    cgroup?.kill();
    await held?.kill();
    await cgroup?.delete();
    removeDirectory(directory);
    if (state.process !== undefined) afterwards(state);
    throw error;
  }
}

export function checkTerminal(
  terminal: boolean,
  { detached, onTerminal }: Pick<CreateRequest, 'detached' | 'onTerminal'>,
): void {
  if (terminal && detached && onTerminal === undefined)
    throw new ExpectedError(
      'badParameter',
      'cannot allocate tty if runc will detach without setting console socket',
    );
  if (!terminal && onTerminal !== undefined && detached)
    throw new ExpectedError(
      'badParameter',
      'cannot use console socket if runc will not detach or allocate tty',
    );
}

function arrive(launched: Launched): void {
  if (!launched.arrive()) throw new Error("the container's process was killed before its program ran");
}

/** Number of sockets that a service manager passes (sd_listen_fds(3)). */
function passedSockets(): number {
  const count = Number(process.env.LISTEN_FDS ?? 0);
  return Number.isInteger(count) && count > 0 && Number(process.env.LISTEN_PID ?? process.pid) === process.pid
    ? count
    : 0;
}

/** The host's /dev/null stays the host's root's. */
export function isOwnable(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return !stats.isCharacterDevice() || stats.rdev !== NULL;
  } catch {
    return false;
  }
}

/** makedev(1, 3) */
const NULL = 0x103;

export function writePidFile(path: string, pid: number): void {
  writeWhole(path, String(pid), { mode: 0o644 });
}
