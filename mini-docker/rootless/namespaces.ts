// An ordinary user's namespaces: made once, found again by every later daemon, and given up when nothing runs
// in them any more.
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../linux/call.ts';
import { failureOf } from '../linux/child.ts';
import { LOCK, SIG } from '../linux/constants.ts';
import { readRegular } from '../linux/kept-file.ts';
import { killProcess } from '../linux/pidfd.ts';
import { pipe } from '../linux/pipes.ts';
import { openProcess, type ProcessIdentity, processIdentity, sameProcess } from '../linux/proc/identity.ts';
import { readStat } from '../linux/proc/stat.ts';
import { openKept } from '../linux/set-aside.ts';
import { flock } from '../linux/syscalls.ts';
import { writeWhole } from '../linux/whole-file.ts';
import { FD } from '../runtime/descriptors.ts';
import { Gate } from '../runtime/gate.ts';
import { startImage } from '../runtime/image-process.ts';
import { mapIds } from './ids.ts';
import { keeperProgram } from './keeper.ts';
import { CHANNEL } from './outside-sockets.ts';
import { connectUplink, resolvConfOf, type Uplink } from './uplink.ts';

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
 * @throws Error when the kernel, or a missing program, allows none
 */
export async function ownNamespaces(runDir: string): Promise<{ pidfd: number; namespaces: OwnNamespaces }> {
  const lock = openKept(join(runDir, 'rootless.lock'), 0o600);
  try {
    call(flock(lock, LOCK.EX));
    const found = readNamespaces(runDir);
    const pidfd = found && isRunning(found.outside) ? openProcess(found.holder) : undefined;
    if (found !== undefined && pidfd !== undefined && isRunning(found.holder)) {
      const uplink = await connectUplink({ runDir, holder: found.holder.pid, before: found.uplink });
      const namespaces = { ...found, uplink };
      save(runDir, namespaces);
      return { pidfd, namespaces };
    }
    const made = await makeNamespaces(runDir);
    const uplink = await connectUplink({ runDir, holder: made.holder.pid });
    const namespaces = { ...made, uplink };
    save(runDir, namespaces);
    return { pidfd: openProcess(made.holder)!, namespaces };
  } finally {
    closeSync(lock);
  }
}

/** As rootless.json has them; undefined when it is missing or damaged. */
export function readNamespaces(runDir: string): OwnNamespaces | undefined {
  try {
    const read = JSON.parse(readRegular(stateFile(runDir)).toString()) as Partial<OwnNamespaces>;
    return read.holder && read.outside && read.uplink ? (read as OwnNamespaces) : undefined;
  } catch {
    return undefined;
  }
}

function save(runDir: string, namespaces: OwnNamespaces): void {
  writeWhole(stateFile(runDir), JSON.stringify(namespaces), { mode: 0o600 });
}

/** A zombie has left its namespaces. */
function isRunning(identity: ProcessIdentity): boolean {
  return sameProcess(identity) && readStat(identity.pid)?.state !== 'Z';
}

/** Ends the processes that keep the namespaces, which the last process in them takes along. */
export function giveUpNamespaces(runDir: string, { holder, outside, uplink }: OwnNamespaces): void {
  // First, so that the next daemon does not enter namespaces whose processes are about to end.
  rmSync(stateFile(runDir), { force: true });
  for (const each of [uplink.process, outside, holder]) {
    const pidfd = each && openProcess(each);
    if (pidfd === undefined) continue;
    try {
      killProcess(pidfd, SIG.KILL);
    } finally {
      closeSync(pidfd);
    }
  }
}

async function makeNamespaces(runDir: string): Promise<Omit<OwnNamespaces, 'uplink'>> {
  const doing = 'cannot make the namespaces of a rootless daemon';
  // The file must exist before it is mounted; its content may change later.
  writeWhole(resolvConfOf(runDir), readIfThere('/etc/resolv.conf'), { mode: 0o644 });
  const program = keeperProgram({ resolvConf: resolvConfOf(runDir) });
  using theirs = new DisposableStack();
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
  const image = await startImage({
    items: program.items,
    descriptors: [
      [ready.writeEnd, FD.ready],
      [go.readEnd, FD.go],
      [request.readEnd, CHANNEL.request],
      [request.writeEnd, CHANNEL.requestWriter],
      [reply.writeEnd, CHANNEL.reply],
      [reply.readEnd, CHANNEL.replyReader],
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
    await arrive();
    const idProblem = mapIds(pidOf(program.outside));
    gate.open();
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

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
