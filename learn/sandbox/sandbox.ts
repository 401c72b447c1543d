// A sandbox: a set of namespaces to experiment in, of which nothing stays. Everything inside ends with its pid 1.
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
import {
  freshGroupName,
  type Group,
  type Limits,
  makeGroups,
  passOn,
  removeCourseGroups,
  removeGroup,
  thawAll,
} from './groups.ts';
import { initExecutable } from './init.ts';
import { type Excerpt, planRoot } from './plan.ts';
import { withheldRights } from './rights.ts';
import { type Placed, rootItems } from './root.ts';

export interface SandboxOptions {
  limits?: Limits;
  /** Shows this of the course, and of the machine its programs; else all that there is. */
  excerpt?: Excerpt;
  /** Directories of the machine to be seen at another place. */
  placed?: readonly Placed[];
  /** Where to work, inside; the course's folder unless said otherwise. */
  directory?: string;
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

export class Sandbox implements AsyncDisposable {
  readonly #fields: Fields;
  readonly #entered = new Set<number>();
  #closed: Promise<void> | undefined;

  private constructor(fields: Fields) {
    this.#fields = fields;
  }

  /** @throws SyscallError saying which step failed; nothing is left then */
  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    const { limits = LIMITS, excerpt, placed = [], directory = repository } = options;
    const userNamespace = process.geteuid?.() !== 0;
    const { groups, withoutGroups } = groupsOf(limits, userNamespace);
    using opened = new DisposableStack();
    const go = pipe();
    opened.adopt(go.readEnd, closeSync);
    opened.adopt(go.writeEnd, closeSync);
    const image = opened.adopt(initExecutable(), closeSync);
    const items: Item[] = [
      // Also when this program is killed.
      prctl(PR.SET_PDEATHSIG, SIG.KILL, 0, 0, 0),
      { ...read(go.readEnd, new Uint8Array(1)), expect: 1 },
      ...groupItems(groups),
      setsid(),
      ...rootItems(planRoot({ groups, excerpt, placed, userNamespace, directory })),
      sethostname('sandbox'),
      ...loopbackUp(),
      ...(userNamespace ? [prlimit(0, RLIMIT.NPROC, bothLimits(limits.processes), null)] : withheldRights()),
      ...nothingOnStreams(),
      execveat(image, '', ['sandbox'], [], AT.EMPTY_PATH),
    ];
    try {
      const flags = NAMESPACES | (userNamespace ? CLONE.NEWUSER : 0);
      const { pid, pidfd, executed } = startChild(items, { flags, doing: 'cannot make a sandbox' });
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
    } catch (error) {
      for (const group of groups) await removeGroup(group.directory);
      removeCourseGroups();
      throw error;
    }
  }

  /** Of its pid 1, as the machine numbers it. */
  get pid(): number {
    return this.#fields.pid;
  }

  /** Why it has no control groups. */
  get withoutGroups(): string | undefined {
    return this.#fields.withoutGroups;
  }

  /** Starts a program inside. @throws SyscallError when there is no way in */
  async enter(argv: readonly string[], options: EnterOptions = {}): Promise<Entered> {
    const { pidfd, groups, directory, userNamespace } = this.#fields;
    const also = (groups.length > 0 ? CLONE.NEWCGROUP : 0) | (userNamespace ? CLONE.NEWUSER : 0);
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

  /** Its processes, as the machine numbers them: whoever descends from its pid 1, or from a program that we started in it. */
  processes(): number[] {
    return descendants([this.pid, ...this.#entered]);
  }

  /** Its group in the hierarchy of a controller, on this machine. */
  group(controller: string): string | undefined {
    return this.#fields.groups.find(({ hierarchy }) => hierarchy.controllers.includes(controller))?.directory;
  }

  /** Ends everything inside, and takes the groups away. Idempotent. */
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
    const left = [];
    for (const { directory } of groups) left.push(...(await removeGroup(directory)));
    removeCourseGroups();
    if (left.length > 0)
      throw new Error(`the sandbox has ended, but its control groups stay: ${left.join(' ')}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function groupsOf(
  limits: Limits,
  userNamespace: boolean,
): { groups: Group[]; withoutGroups: string | undefined } {
  if (userNamespace)
    return { groups: [], withoutGroups: 'control groups are for root: start learn with sudo' };
  try {
    const groups = makeGroups(freshGroupName(), limits);
    return { groups, withoutGroups: groups.length > 0 ? undefined : 'no control groups are mounted here' };
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    return { groups: [], withoutGroups: `control groups cannot be made here: ${error.message}` };
  }
}

/** The group it is in when the namespace is made is the root that it sees from then on. */
function groupItems(groups: readonly Group[]): Item[] {
  if (groups.length === 0) return [];
  const leaves = groups.filter(({ home, directory }) => home !== directory);
  return [
    ...groups.flatMap(({ directory }) => joinGroup(directory)),
    // The descriptors first: afterwards the paths still lead there, since the mounts are those of the machine.
    unshare(CLONE.NEWCGROUP),
    ...leaves.flatMap(({ home }) => joinGroup(home)),
  ];
}

/** Without root of the machine one user can be mapped: ourselves, as root. user_namespaces(7) */
function mapRoot(pid: number): void {
  writeFileSync(`/proc/${pid}/setgroups`, 'deny');
  writeFileSync(`/proc/${pid}/uid_map`, `0 ${process.geteuid?.()} 1`);
  writeFileSync(`/proc/${pid}/gid_map`, `0 ${process.getegid?.()} 1`);
}

function bothLimits(value: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([BigInt(value), BigInt(value)]).buffer);
}

/** A new network has one link, and that is down. netdevice(7): struct ifreq, IFF_UP */
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
