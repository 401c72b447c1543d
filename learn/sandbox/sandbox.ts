// A sandbox: a set of namespaces to experiment in, which leaves nothing behind. Everything inside ends with its process 1.
import { closeSync, writeFileSync } from 'node:fs';
import {
  AF,
  AT,
  CLONE,
  call,
  close,
  dup3,
  execveat,
  type Item,
  ioctlBuffer,
  killProcess,
  O,
  openat,
  PR,
  pipe,
  prctl,
  prlimit,
  RLIMIT,
  read,
  reap,
  resultOf,
  SIG,
  SOCK,
  sethostname,
  setsid,
  socket,
  startChild,
  unshare,
  watchExit,
  write,
} from '#linux';
import { repository } from '../repository.ts';
import { descendants } from './descendants.ts';
import { type Entered, type EnterOptions, enter, joinGroup } from './enter.ts';
import type { Escapes } from './escapes.ts';
import { type Group, type Limits, makeGroups, passOn, removeGroups, thawAll } from './groups.ts';
import { initExecutable } from './init.ts';
import { freshGroupName } from './maker.ts';
import { type Excerpt, planRoot } from './plan.ts';
import { withheldRights } from './rights.ts';
import { type Placed, rootItems } from './root.ts';

export interface SandboxOptions {
  limits?: Limits;
  /** If given, only these parts of the course and the machine's programs are visible; otherwise everything is. */
  excerpt?: Excerpt;
  /** Directories of the machine that appear at another path. */
  placed?: readonly Placed[];
  /** Working directory inside; by default the course's folder. */
  directory?: string;
  /** What it may break out by. */
  escapes?: Escapes | undefined;
}

const LIMITS: Limits = { memory: 1024 ** 3, processes: 400 };
const NAMESPACES = CLONE.NEWNS | CLONE.NEWPID | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWNET;
const SIOCSIFFLAGS = 0x8914;

interface Fields {
  pid: number;
  pidfd: number;
  groups: readonly Group[];
  directory: string;
  userNamespace: boolean;
  withoutGroups: string | undefined;
}

const open = new Set<Sandbox>();
let isEnding = false;

/** Closes all sandboxes of this process, for a signal that ends it. Those asked for afterwards are never made. */
export async function closeSandboxes(): Promise<void> {
  isEnding = true;
  await Promise.allSettled([...open].map(sandbox => sandbox.close()));
}

export class Sandbox implements AsyncDisposable {
  readonly #fields: Fields;
  readonly #entered = new Set<number>();
  #closed: Promise<void> | undefined;

  private constructor(fields: Fields) {
    this.#fields = fields;
    open.add(this);
  }

  /** @throws SyscallError naming the step that failed; it leaves nothing behind */
  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    // A check whose sandbox has been closed has failed, and the next one would begin.
    if (isEnding) await new Promise(() => {});
    const { limits = LIMITS, excerpt, placed = [], directory = repository, escapes } = options;
    const userNamespace = process.geteuid?.() !== 0;
    const { groups, withoutGroups } = groupsOf(limits, userNamespace, escapes);
    using opened = new DisposableStack();
    const go = pipe();
    opened.adopt(go.readEnd, closeSync);
    opened.adopt(go.writeEnd, closeSync);
    const image = opened.adopt(initExecutable(), closeSync);
    const items: Item[] = [
      // The sandbox ends with this program, even if it is killed.
      prctl(PR.SET_PDEATHSIG, SIG.KILL, 0, 0, 0),
      { ...read(go.readEnd, new Uint8Array(1)), expect: 1 },
      ...(userNamespace ? [] : groupItems(groups)),
      setsid(),
      ...rootItems(planRoot({ groups, excerpt, placed, userNamespace, directory })),
      sethostname('sandbox'),
      ...loopbackUp(),
      ...(userNamespace ? [prlimit(0, RLIMIT.NPROC, bothLimits(limits.processes), null)] : withheldRights()),
      ...nothingOnStreams(),
      execveat(image, '', ['sandbox'], [], AT.EMPTY_PATH),
    ];
    const flags = NAMESPACES | (userNamespace ? CLONE.NEWUSER : 0);
    const { pid, pidfd, executed } = await Promise.try(() =>
      startChild(items, { flags, doing: 'cannot make a sandbox' }),
    ).catch(async error => {
      await removeGroups(groups);
      throw error;
    });
    const sandbox = new Sandbox({ pid, pidfd, groups, directory, userNamespace, withoutGroups });
    try {
      if (userNamespace) mapRoot(pid);
      call(write(go.writeEnd, new Uint8Array(1)));
      await executed;
      groups.forEach(passOn);
      return sandbox;
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  /** Pid of its process 1 on the machine. */
  get pid(): number {
    return this.#fields.pid;
  }

  /** Reason why it has no control groups; undefined if it has them. */
  get withoutGroups(): string | undefined {
    return this.#fields.withoutGroups;
  }

  /** Starts a program inside. @throws SyscallError if the sandbox cannot be entered */
  async enter(argv: readonly string[], options: EnterOptions = {}): Promise<Entered> {
    const { pidfd, groups, directory, userNamespace } = this.#fields;
    const also = userNamespace ? CLONE.NEWUSER : CLONE.NEWCGROUP;
    const entered = await enter({
      pidfd,
      namespaces: NAMESPACES | also,
      userNamespace,
      homes: groups.map(({ home }) => home),
      argv,
      options: { directory, ...options },
    });
    this.#entered.add(entered.pid);
    void entered.ended.then(() => this.#entered.delete(entered.pid));
    return entered;
  }

  /** Pids on the machine of its processes: the descendants of its process 1, and of programs that we started in it. */
  processes(): number[] {
    return descendants([this.pid, ...this.#entered]);
  }

  /** Path on this machine of its group in the hierarchy of a controller. */
  group(controller: string): string | undefined {
    return this.#fields.groups.find(({ hierarchy }) => hierarchy.controllers.includes(controller))?.directory;
  }

  /** Ends everything inside, and removes its groups. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { pidfd, groups } = this.#fields;
    killProcess(pidfd, SIG.KILL);
    for (const { directory } of groups) thawAll(directory);
    await watchExit(pidfd);
    reap(pidfd);
    closeSync(pidfd);
    open.delete(this);
    const left = await removeGroups(groups);
    if (left.length > 0)
      throw new Error(`the sandbox has ended, but its control groups cannot be removed: ${left.join(' ')}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function groupsOf(
  limits: Limits,
  userNamespace: boolean,
  escapes: Escapes | undefined,
): { groups: Group[]; withoutGroups: string | undefined } {
  if (userNamespace)
    return { groups: [], withoutGroups: 'only root may make control groups: start learn with sudo' };
  try {
    const groups = makeGroups(freshGroupName(), limits, escapes && [escapes.hierarchy]);
    return {
      groups,
      withoutGroups: groups.some(({ hierarchy }) => hierarchy.controllers.length > 0)
        ? undefined
        : 'no control groups are mounted here',
    };
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    return { groups: [], withoutGroups: `cannot make control groups here: ${error.message}` };
  }
}

/**
 * The group that a process is in when it makes a cgroup namespace becomes the root that it sees. In a namespace of its
 * own it can make no new hierarchies, even if it has no groups: their release_agent would be a way out.
 */
function groupItems(groups: readonly Group[]): Item[] {
  const leaves = groups.filter(({ home, directory }) => home !== directory);
  return [
    ...groups.flatMap(({ directory }) => joinGroup(directory)),
    // The paths of the leaves are still valid after this, since the mounts are those of the machine.
    unshare(CLONE.NEWCGROUP),
    ...leaves.flatMap(({ home }) => joinGroup(home)),
  ];
}

/** Maps the calling user to root: without root of the machine, only this one mapping is allowed. user_namespaces(7) */
function mapRoot(pid: number): void {
  writeFileSync(`/proc/${pid}/setgroups`, 'deny');
  writeFileSync(`/proc/${pid}/uid_map`, `0 ${process.geteuid?.()} 1`);
  writeFileSync(`/proc/${pid}/gid_map`, `0 ${process.getegid?.()} 1`);
}

function bothLimits(value: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([BigInt(value), BigInt(value)]).buffer);
}

/** Sets lo up: a new network has only this link, and it is down. netdevice(7): struct ifreq, IFF_UP */
function loopbackUp(): Item[] {
  const request = Buffer.alloc(40);
  request.write('lo');
  request.writeInt16LE(1, 16);
  const control = socket(AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0);
  return [control, ioctlBuffer(resultOf(control), SIOCSIFFLAGS, request), close(resultOf(control))];
}

function nothingOnStreams(): Item[] {
  const nothing = openat(AT.FDCWD, '/dev/null', O.RDWR | O.CLOEXEC, 0);
  return [nothing, ...[0, 1, 2].map(fd => dup3(resultOf(nothing), fd, 0))];
}
