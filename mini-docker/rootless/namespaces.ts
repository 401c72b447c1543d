// An ordinary user's namespaces: made once, found again by every later daemon, and given up when nothing runs
// in them any more.

import { closeSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { quietly } from '../formats/quietly.ts';
import { call } from '../linux/call.ts';
import { failureOf } from '../linux/child.ts';
import { LOCK, SIG } from '../linux/constants.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { loadKept, removeKept, saveKept } from '../linux/kept-file.ts';
import { pipe } from '../linux/pipes.ts';
import { isRunning, openProcess, type ProcessIdentity, processIdentity } from '../linux/proc/identity.ts';
import { openKept } from '../linux/set-aside.ts';
import { flock } from '../linux/syscalls.ts';
import { writeWhole } from '../linux/whole-file.ts';
import { FD } from '../runtime/descriptors.ts';
import { Gate } from '../runtime/gate.ts';
import { compileImage, startImage } from '../runtime/image-process.ts';
import { readState } from '../runtime/state.ts';
import { mapIds } from './ids.ts';
import { keeperProgram, MEMBER } from './keeper.ts';
import { CHANNEL } from './outside-sockets.ts';
import { connectUplink, hostResolvConf, resolvConfOf, type Uplink } from './uplink.ts';

/** rootless.json in the run directory. */
export interface OwnNamespaces {
  /** A process in the user, mount and network namespaces. */
  holder: ProcessIdentity;
  /** A process in the user and mount namespaces and the host's network. */
  outside: ProcessIdentity;
  uplink: Uplink;
  /** What is missing because of the user's ids. */
  idProblem?: string;
}

const stateFile = (runDir: string): string => join(runDir, 'rootless.json');

/**
 * Finds the namespaces of this run directory, or makes them, and connects their network to the outside.
 * @returns a pidfd of their holder, and their description
 * @throws Error when the kernel, or a missing program, allows none, or when it is `stopped`: nothing new is left then
 */
export async function ownNamespaces(
  runDir: string,
  stopped: AbortSignal,
): Promise<{ pidfd: number; namespaces: OwnNamespaces }> {
  const lock = openKept(join(runDir, 'rootless.lock'), 0o600);
  try {
    call(flock(lock, LOCK.EX));
    const found = readNamespaces(runDir);
    const isWhole = found !== undefined && isRunning(found.holder) && isRunning(found.outside);
    const member = isWhole ? undefined : memberOf(runDir, found);
    const kept = isWhole ? found : await keepNamespaces(runDir, member);
    if (!isWhole && found !== undefined)
      end(member === undefined ? processesOf(found) : [found.outside, found.holder]);
    const before = isWhole || member !== undefined ? found?.uplink : undefined;
    let namespaces: OwnNamespaces = { ...kept, uplink: {} };
    try {
      namespaces = { ...kept, uplink: await connectUplink({ runDir, holder: kept.holder.pid, before }) };
      saveKept(stateFile(runDir), JSON.stringify(namespaces), { mode: 0o600 });
      // Signals that came while the uplink's program started are delivered now.
      await setImmediate();
      stopped.throwIfAborted();
      const pidfd = openProcess(kept.holder);
      if (pidfd === undefined)
        throw new Error('the process that keeps the namespaces has been killed: try again');
      return { pidfd, namespaces };
    } catch (error) {
      if (!isWhole && member === undefined) giveUpNamespaces(runDir, namespaces);
      throw error;
    }
  } finally {
    closeSync(lock);
  }
}

/** As rootless.json, or its last good copy, has them; undefined when there is neither. */
export function readNamespaces(runDir: string): OwnNamespaces | undefined {
  // Nobody has to be told: what the copy does not know is found by its processes.
  return loadKept(stateFile(runDir), decode, () => {});
}

function decode(bytes: Buffer): OwnNamespaces {
  const read = JSON.parse(bytes.toString()) as Partial<OwnNamespaces> | null;
  if (!read?.holder || !read.outside || !read.uplink) throw new Error('a field is missing');
  return read as OwnNamespaces;
}

/** Whether containers run in the namespaces, as their monitors tell. */
export const areInUse = (runDir: string): boolean =>
  monitorsOf(runDir).some(each => each !== undefined && isRunning(each));

/** Ends the processes that keep the namespaces, which the last process in them takes along. */
export function giveUpNamespaces(runDir: string, namespaces: OwnNamespaces): void {
  // First, so that the next daemon does not enter namespaces whose processes are about to end.
  removeKept(stateFile(runDir));
  end(processesOf(namespaces));
}

function processesOf({ holder, outside, uplink }: OwnNamespaces): ProcessIdentity[] {
  return [...(uplink.process === undefined ? [] : [uplink.process]), outside, holder];
}

function end(processes: readonly ProcessIdentity[]): void {
  for (const each of processes) {
    const pidfd = openProcess(each);
    if (pidfd === undefined) continue;
    const held = new HeldProcess(pidfd);
    held.signal(SIG.KILL);
    held.letGo();
  }
}

/**
 * Finds a process in namespaces whose keeper was killed: one of the two, or the monitor of a container.
 * @returns its pidfd; undefined when nothing runs there any more
 */
function memberOf(runDir: string, found: OwnNamespaces | undefined): number | undefined {
  const member = [found?.holder, ...monitorsOf(runDir)].find(each => each !== undefined && isRunning(each));
  return member && openProcess(member);
}

function monitorsOf(runDir: string): (ProcessIdentity | undefined)[] {
  return globSync('containers/*', { cwd: runDir }).map(name => monitorOf(join(runDir, name)));
}

function monitorOf(directory: string): ProcessIdentity | undefined {
  // Its container is lost, and others may be there.
  return quietly(() => readState(directory)?.monitor);
}

/** Makes the namespaces, or joins those of `member`, and leaves the keeper's two processes in them. */
async function keepNamespaces(
  runDir: string,
  member: number | undefined,
): Promise<Omit<OwnNamespaces, 'uplink'>> {
  const doing = `cannot ${member === undefined ? 'make' : 'join'} the namespaces of a rootless daemon`;
  const joins = member !== undefined;
  // The file must exist before it is mounted; its content may change later.
  if (!joins) writeWhole(resolvConfOf(runDir), hostResolvConf(), { mode: 0o644 });
  const program = keeperProgram({ resolvConf: resolvConfOf(runDir), joins });
  using theirs = new DisposableStack();
  if (member !== undefined) theirs.adopt(member, closeSync);
  const [ready, go, request, reply] = [pipe(), pipe(), pipe(), pipe()];
  for (const fd of [
    ready.writeEnd,
    go.readEnd,
    request.readEnd,
    request.writeEnd,
    reply.readEnd,
    reply.writeEnd,
  ])
    theirs.adopt(fd, closeSync);
  const image = startImage({
    program: compileImage(program.items),
    descriptors: [
      [ready.writeEnd, FD.ready],
      [go.readEnd, FD.go],
      [request.readEnd, CHANNEL.request],
      [request.writeEnd, CHANNEL.requestWriter],
      [reply.writeEnd, CHANNEL.reply],
      [reply.readEnd, CHANNEL.replyReader],
      ...(member === undefined ? [] : [[member, MEMBER] satisfies [number, number]]),
    ],
    argv: ['mini-docker-namespaces'],
    doing,
  });
  theirs.dispose();
  const pidOf = (memory: Uint8Array): number => image.results.buffer(memory).readInt32LE();
  const gate = new Gate(ready.readEnd, go.writeEnd, () => pidOf(program.outside));
  const arrive = async (): Promise<void> => {
    if (await gate.arrived()) return;
    throw failureOf(image.results, doing) ?? new Error(`${doing}: their first process was killed`);
  };
  try {
    let idProblem: string | undefined;
    if (!joins) {
      await arrive();
      idProblem = mapIds(pidOf(program.outside));
      gate.open();
    }
    await arrive();
    const [holder, outside] = [program.holder, program.outside].map(memory => processIdentity(pidOf(memory)));
    if (holder === undefined || outside === undefined)
      throw new Error(`${doing}: a process of them was killed`);
    return { holder, outside, ...(idProblem === undefined ? {} : { idProblem }) };
  } finally {
    gate.close();
    image.release();
    await image.process.ended();
  }
}
