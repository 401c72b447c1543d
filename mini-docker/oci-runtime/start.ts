// The start of a container from a bundle as a list of steps. Unlike the engine's (runtime/start-program.ts),
// the root filesystem and the streams are the caller's, nothing is left running but the container's first
// process, and that one waits on a FIFO, which outlives this program, until `start` lets it go on.
import type { Process, Spec } from '../formats/oci/runtime-spec.ts';
import { resetSignals } from '../linux/child.ts';
import { AT, CLONE, MNT, MS } from '../linux/constants.ts';
import { inUserNamespace } from '../linux/own-user-namespace.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, resultOf, type Step } from '../linux/step.ts';
import {
  chdir,
  chroot,
  faccessat,
  mountCall,
  read,
  setsid,
  umask,
  umount2,
  write,
} from '../linux/syscalls.ts';
import { afterBirth, birth, type CgroupEntry, joinItems } from '../runtime/birth.ts';
import { type CgroupView, expandCgroupMount } from '../runtime/cgroup-mount.ts';
import { FD } from '../runtime/descriptors.ts';
import { consoleItems, devicesSection, isDevGiven, prepareBoundDevices } from '../runtime/devices.ts';
import { attempts, closeDescriptors, executables, workingDirectory } from '../runtime/execution.ts';
import { limits, ownStreams, rights } from '../runtime/identity.ts';
import { freshLabel, makeDirectories, requireProc } from '../runtime/inside.ts';
import { labelItems } from '../runtime/labels.ts';
import { prepareMasks } from '../runtime/masks.ts';
import { prepareMount } from '../runtime/mounts.ts';
import { beforeClone, cloneFlags, joinNamespaces, newCgroupNamespace } from '../runtime/namespaces.ts';
import { nothingIn, ownTmpfs } from '../runtime/own-null.ts';
import { enterDirectory, pivot, readonlyRootSection } from '../runtime/rootfs.ts';
import { scheduling } from '../runtime/scheduling.ts';
import { listenerOf, loadFilter } from '../runtime/seccomp/load.ts';
import { ownKeyring, privacy } from '../runtime/secrets.ts';
import { type Section, section } from '../runtime/section.ts';
import { becomeMappedRoot, names, sysctls, waitForDaemon } from '../runtime/start-program.ts';
import { openTerminal } from '../runtime/terminal.ts';
import { hasOwnUserNamespace } from '../runtime/user-namespace.ts';
import { deniesGroups } from './id-maps.ts';
import type { MadeMounts } from './made-mounts.ts';
import { sayWhy } from './program-failure.ts';

export interface OciStartFacts {
  enterCgroup: CgroupEntry;
  cgroup: CgroupView;
  isDirectory(source: string): boolean;
  lastCapability: number;
  /** The mount point of the mount in which the bundle's root lies. */
  parentMount: string;
  /** The standard streams that the program's user is to own. */
  pipes: readonly number[];
  /** Number of descriptors from 3 on that are passed to the program. */
  passed: number;
  keyring: boolean;
  mounts: MadeMounts | undefined;
  pivot: boolean;
}

export interface OciStartProgram {
  sections: Section[];
  /** Memory for the pid of the container's first process. */
  pid: Uint8Array;
  /** The step whose result is the descriptor for a supervisor of system calls. */
  listener: Step | undefined;
}

/** The parts of the list that depend on one another. */
function preparations(spec: Spec, facts: OciStartFacts) {
  const { linux, root } = spec;
  const pid = new Uint8Array(4);
  const clone = birth({ flags: cloneFlags(linux) | CLONE.PARENT, pid, cgroup: facts.enterCgroup });
  const userNamespace = hasOwnUserNamespace(spec);
  const joinsUser = linux.namespaces.some(({ type, path }) => type === 'user' && path !== undefined);
  const mapped = userNamespace || joinsUser || inUserNamespace();
  const expanded = spec.mounts.map(mount =>
    mount.type === 'cgroup'
      ? { ...expandCgroupMount(mount, facts.cgroup, linux.namespaces), isDirectory: () => true }
      : { mounts: [mount], finish: [], isDirectory: facts.isDirectory },
  );
  const mounts = expanded.flatMap(({ mounts: parts, isDirectory }) =>
    parts.map(mount =>
      prepareMount(mount, {
        isDirectory,
        place: root.path,
        made: facts.mounts?.made.get(mount),
        userNamespace: facts.mounts?.userNamespaces.get(mount),
      }),
    ),
  );
  const devices = devicesOf(spec, mapped);
  const nothing = nothingIn(root.path, { makesNodes: !mapped });
  const masks = prepareMasks(
    { masked: linux.maskedPaths ?? [], readonly: linux.readonlyPaths ?? [] },
    { isDirectory: facts.isDirectory, nothing },
  );
  return { pid, clone, userNamespace, joinsUser, mapped, expanded, mounts, devices, nothing, masks };
}

export function ociStartProgram(spec: Spec, facts: OciStartFacts): OciStartProgram {
  const { linux, process, root } = spec;
  const { pid, clone, userNamespace, joinsUser, mapped, expanded, mounts, devices, nothing, masks } =
    preparations(spec, facts);
  const filter = loadFilter(linux.seccomp ?? undefined);
  const listener = listenerOf(linux.seccomp ?? undefined, filter);
  const joinFirst = mapped && facts.enterCgroup !== 'born in it';
  const isDev = ({ destination }: { destination: string }): boolean => destination === '/dev';

  const sections = [
    section(
      'the process that forks',
      facts.keyring ? ownKeyring() : [],
      privacy(linux),
      // A user namespace takes away the right to write to the control group's files.
      joinFirst ? joinItems(facts.enterCgroup) : [],
      joinsUser ? joinNamespaces({ ...linux, namespaces: linux.namespaces.filter(isUser) }) : [],
      beforeClone(linux),
      [
        {
          control: 'fork',
          step: because("the container's first process; the caller of this program inherits it", clone),
          parent: 'done',
        },
      ],
    ),
    ...(userNamespace ? [waitForDaemon('user namespace', 'the id maps are written')] : []),
    ...(userNamespace || joinsUser ? [becomeMappedRoot()] : []),
    section(
      'control group',
      afterBirth(facts.enterCgroup),
      joinFirst ? [] : joinItems(facts.enterCgroup),
      newCgroupNamespace(linux),
    ),
    section(
      'namespaces of others',
      joinNamespaces({ ...linux, namespaces: linux.namespaces.filter(each => !isUser(each)) }),
    ),
    waitForDaemon(
      'the runtime environment is there',
      'the state is written, and the createRuntime hooks run',
    ),
    section('session', because('no terminal of the host may send it signals', setsid())),
    section("through the host's /proc", labelItems(process)),
    section(
      'what comes from outside',
      mounts.flatMap(({ prepare }) => prepare),
      devices.prepare,
    ),
    rootPropagation(spec, facts.parentMount),
    section(
      'nothing',
      masks.prepare.length === 0
        ? []
        : [
            ...ownTmpfs(root.path, { nothing }),
            ...masks.prepare,
            because("the bundle's root is to be seen there again", umount2(root.path, MNT.DETACH)),
          ],
    ),
    section(
      'root filesystem',
      because("the bundle's root becomes a mount", bindRoot(root.path)),
      enterDirectory(root.path),
      because('nodes get the permissions that are written here', umask(0)),
    ),
    ...mounts.flatMap(mount => (isDev(mount) ? [mount.attach, devices.section] : [mount.attach])),
    ...(mounts.some(isDev) ? [] : [section('/dev', makeDirectories('/dev')), devices.section]),
    section(
      'control groups, read-only',
      expanded.flatMap(({ finish }) => finish),
    ),
    ...((spec.hooks?.createContainer ?? []).length > 0
      ? [waitForDaemon('createContainer hooks', 'they run in these namespaces, and still see the host')]
      : []),
    section('the new root', facts.pivot ? pivot() : moveRoot()),
    ...inNewRoot(spec, facts, { masks: masks.section, filter, listener, userNamespace }),
    section('the one that forked', [
      { control: 'label', name: 'done' },
      { control: 'exit', status: 0 },
    ]),
  ];
  return { sections: sections.filter(({ items }) => items.length > 0), pid, listener };
}

/** From here on no path leads to the host. */
function inNewRoot(
  spec: Spec,
  facts: OciStartFacts,
  parts: { masks: Section; filter: Item[]; listener: Step | undefined; userNamespace: boolean },
): Section[] {
  const { linux, process, root } = spec;
  const { masks, filter, listener, userNamespace } = parts;
  const tries = attempts(process);
  return [
    section('names', names(spec)),
    section('terminal', process.terminal === true ? terminal(process) : []),
    section('/proc', spec.mounts.some(({ destination }) => destination === '/proc') ? requireProc() : []),
    section('kernel parameters', sysctls(linux.sysctl ?? {})),
    masks,
    section('working directory', workingDirectory(process, true)),
    ...(root.readonly === true ? [readonlyRootSection()] : []),
    finalPropagation(spec),
    section(
      'user and rights',
      ownStreams(process, facts.pipes),
      limits(process),
      scheduling(process, linux),
      ...rights(process, {
        lastCapability: facts.lastCapability,
        loadsFilter: filter.length > 0,
        keepGroups: userNamespace && deniesGroups(linux),
      }),
    ),
    section('the program exists', findProgram(process)),
    // A supervisor has to have its descriptor before the program makes a call.
    section('system calls', listener === undefined ? [] : filter),
    section('wait for start', waitForStart()),
    section(
      'program',
      closeDescriptors(facts.passed),
      resetSignals(),
      listener === undefined ? filter : [],
      tries,
      sayWhy(process, tries),
    ),
  ];
}

const isUser = ({ type }: { type: string }): boolean => type === 'user';

/** mknod is not allowed in a user namespace: the host's nodes serve there, whose owner is not mapped. */
function devicesOf({ linux, mounts }: Spec, mapped: boolean): { prepare: Item[]; section: Section } {
  if (isDevGiven(mounts)) return { prepare: [], section: section('devices') };
  const devices = linux.devices ?? [];
  if (!mapped) return { prepare: [], section: devicesSection(devices) };
  return prepareBoundDevices(devices, index => devices[index]!.path);
}

const PROPAGATION: Record<string, number> = {
  private: MS.PRIVATE,
  slave: MS.SLAVE,
  shared: MS.SHARED,
  unbindable: MS.UNBINDABLE,
};

/** 'rprivate' and 'private' alike: the kernel wants every mount of the host to be treated here. */
function propagationOf({ linux }: Spec): string {
  return (linux.rootfsPropagation ?? 'slave').replace(/^r/, '');
}

function rootPropagation(spec: Spec, parentMount: string): Section {
  const kind = propagationOf(spec);
  // An unbindable tree could not be bound as the container's root.
  const flag = kind === 'unbindable' ? MS.PRIVATE : PROPAGATION[kind]!;
  return section(
    'mount propagation',
    because(`mounts of the host: ${kind}`, mountCall(null, '/', null, MS.REC | flag, null)),
    because(
      "the container's root appears nowhere else",
      mountCall(null, parentMount, null, MS.PRIVATE, null),
    ),
  );
}

function finalPropagation(spec: Spec): Section {
  const kind = propagationOf(spec);
  if (kind !== 'shared' && kind !== 'unbindable') return section('root propagation');
  return section('root propagation', mountCall(null, '/', null, PROPAGATION[kind]!, null));
}

const bindRoot = (path: string) => mountCall(path, path, null, MS.BIND | MS.REC, null);

/** --no-pivot: for a root on the initial ramdisk, which cannot be pivoted away. */
function moveRoot(): Item[] {
  return [
    because('the ramdisk stays below, out of reach', mountCall('.', '/', null, MS.MOVE, null)),
    chroot('.'),
    chdir('/'),
  ];
}

function terminal({ consoleSize }: Process): Item[] {
  return [
    ...openTerminal(FD.terminal, consoleSize && { rows: consoleSize.height, columns: consoleSize.width }),
    ...consoleItems(),
  ];
}

/** As the program's user: a missing program fails the create, and not the start. */
function findProgram(process: Process): Item[] {
  const found = freshLabel('found');
  const tries = executables(process).map(path => mayFail(faccessat(AT.FDCWD, path, 1)));
  return [
    ...tries.flatMap((step): Item[] => [
      step,
      { control: 'when', result: resultOf(step), is: 'equal', value: 0, to: found },
    ]),
    { control: 'fail', blame: tries },
    { control: 'label', name: found },
  ];
}

function waitForStart(): Item[] {
  return [
    write(FD.ready, new Uint8Array([1])),
    because('the FIFO is open for writing here too: it never ends', {
      ...read(FD.fifo, new Uint8Array(1)),
      expect: 1,
    }),
  ];
}
