// The complete start of a container as data: the OCI spec in, the list of system calls out. It is compiled
// into one ELF program: the part before clone runs in the monitor, the part after it in the container's first
// process, and the code behind the label 'monitor' turns the monitor into its waiter (waiter.ts).
import type { Device, Spec } from '../formats/oci/runtime-spec.ts';
import { AT, O } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, type Ref, resultOf, type Step } from '../linux/step.ts';
import {
  close,
  dup3,
  execveat,
  pidfdGetfd,
  pidfdOpen,
  ppoll,
  read,
  setdomainname,
  sethostname,
  setresgid,
  setresuid,
  setsid,
  umask,
  write,
  writeText,
} from '../linux/syscalls.ts';
import { afterBirth, birth, type CgroupEntry, joinItems } from './birth.ts';
import { type CgroupView, expandCgroupMount } from './cgroup-mount.ts';
import { FD } from './descriptors.ts';
import { consoleItems, devicesSection, isDevGiven, prepareBoundDevices } from './devices.ts';
import { closeDescriptors, execute, workingDirectory } from './execution.ts';
import { limits, ownStreams, rights } from './identity.ts';
import { executeInit } from './init.ts';
import { openPlain, requireProc } from './inside.ts';
import { labelItems } from './labels.ts';
import { fixKernelFiles, prepareMasks } from './masks.ts';
import { prepareMount } from './mounts.ts';
import {
  beforeClone,
  cloneFlags,
  isNew,
  joinNamespaces,
  loopbackUp,
  newCgroupNamespace,
} from './namespaces.ts';
import { nothingIn, ownTmpfs, withNode } from './own-null.ts';
import {
  type Layers,
  layersSection,
  propagationSection,
  readonlyRootSection,
  rootfsSection,
} from './rootfs.ts';
import { loadFilter } from './seccomp/load.ts';
import { ownKeyring, privacy } from './secrets.ts';
import { type Section, section } from './section.ts';
import { openTerminal } from './terminal.ts';
import { hasOwnUserNamespace, STAGE, stagedDevice } from './user-namespace.ts';

export interface StartFacts {
  layers: Layers;
  /** Standard input is a pipe; else a /dev/null of the container's own. */
  stdin: boolean;
  /** Run an init as pid 1, with the program as its child. */
  init: boolean;
  enterCgroup: CgroupEntry;
  cgroup: CgroupView;
  /** Whether a bind mount's source on the host is a directory. */
  isDirectory(source: string): boolean;
  /** The highest capability number of the kernel. */
  lastCapability: number;
  /** Names in /proc of files that are the same for the whole machine. */
  kernelFiles?: readonly string[];
  /** The host's node of a device, for a daemon that cannot make nodes itself. */
  hostNode?: ((device: Device) => string) | undefined;
}

export interface StartProgram {
  sections: Section[];
  /** Memory where the kernel stores the pid of the container's first process: an int. */
  pid: Uint8Array;
}

/**
 * The byte that reports to the daemon: the process waits for its id maps, has its namespaces, or is ready to
 * run its program.
 */
const WAITING = new Uint8Array([1]);

/** The parts of the list that depend on one another. */
function preparations(spec: Spec, facts: StartFacts) {
  const { linux } = spec;
  const pid = new Uint8Array(4);
  const clone = birth({ flags: cloneFlags(linux), pid, cgroup: facts.enterCgroup });
  const userNamespace = hasOwnUserNamespace(spec);
  const expanded = spec.mounts.map(mount =>
    mount.type === 'cgroup'
      ? {
          ...expandCgroupMount(mount, facts.cgroup, linux.namespaces),
          isDirectory: () => true,
          ofGroups: true,
        }
      : { mounts: [mount], finish: [], isDirectory: facts.isDirectory, ofGroups: false },
  );
  const mounts = expanded.flatMap(({ mounts: parts, isDirectory, ofGroups }) =>
    parts.map(mount => ({
      ...prepareMount(mount, { isDirectory, place: spec.root.path, hasTmpfs: !userNamespace }),
      ofGroups,
    })),
  );
  const parts = expanded.flatMap(({ mounts: those }) => those.flatMap(({ part }) => part ?? []));
  const { hostNode } = facts;
  const nodeOf = userNamespace ? stagedDevice : hostNode && ((_: number, device: Device) => hostNode(device));
  const isGiven = isDevGiven(spec.mounts);
  const boundDevices = isGiven ? undefined : nodeOf && prepareBoundDevices(linux.devices ?? [], nodeOf);
  const nothing = userNamespace
    ? nothingIn(STAGE)
    : nothingIn(spec.root.path, { makesNodes: hostNode === undefined });
  const devices = isGiven
    ? section('devices')
    : (boundDevices?.section ?? devicesSection(linux.devices ?? []));
  const masks = prepareMasks(
    { masked: linux.maskedPaths ?? [], readonly: linux.readonlyPaths ?? [] },
    { isDirectory: facts.isDirectory, nothing },
  );
  const isProcReadOnly = spec.mounts.some(
    ({ destination, options }) => destination === '/proc' && options?.includes('ro'),
  );
  const fixed =
    isProcReadOnly || !linux.readonlyPaths?.length
      ? []
      : fixKernelFiles(facts.kernelFiles ?? [], [
          ...(linux.maskedPaths ?? []),
          ...linux.readonlyPaths,
          // lxcfs
          ...spec.mounts.map(({ destination }) => destination),
        ]);
  const tmpfs = userNamespace ? [] : ownTmpfs(spec.root.path, { nothing, parts: [...new Set(parts)] });
  return { pid, clone, userNamespace, expanded, mounts, boundDevices, nothing, tmpfs, devices, masks, fixed };
}

export function startProgram(spec: Spec, facts: StartFacts): StartProgram {
  const { linux, process } = spec;
  const { pid, clone, userNamespace, expanded, mounts, boundDevices, nothing, tmpfs, devices, masks, fixed } =
    preparations(spec, facts);
  const isDev = ({ destination }: { destination: string }) => destination === '/dev';
  const filter = loadFilter(linux.seccomp);
  const groups = [
    section(
      'control group',
      afterBirth(facts.enterCgroup),
      userNamespace ? [] : joinWhenMade(facts.enterCgroup),
      newCgroupNamespace(linux),
    ),
  ];
  // The daemon makes the groups while the process mounts. In namespaces of others they may have other names, or none.
  const joinsLate = !linux.namespaces.some(
    ({ type, path }) => path !== undefined && ['user', 'mount', 'cgroup'].includes(type),
  );

  const sections = [
    section('monitor', mayFail(setsid()), ownKeyring(), privacy(linux), beforeClone(linux), [
      {
        control: 'fork',
        step: because("the container's first process, in its own namespaces", clone),
        parent: 'monitor',
      },
    ]),
    ...(userNamespace
      ? [
          waitForDaemon(
            'user namespace',
            'the daemon writes the id maps, mounts the layers with owners shifted, and sees to the cgroup',
          ),
          becomeMappedRoot(),
        ]
      : []),
    section('network', isNew(linux, 'network') ? loopbackUp() : []),
    ...(joinsLate ? [] : groups),
    section('namespaces of others', joinNamespaces(linux)),
    section(
      'the daemon begins',
      because('its namespaces are there: the network is connected meanwhile', write(FD.ready, WAITING)),
    ),
    section(
      'session and streams',
      because('no terminal of the host may send it signals', setsid()),
      streams(process.terminal === true, facts.stdin),
    ),
    section("through the host's /proc", labelItems(process)),
    section(
      'what comes from outside',
      mounts.flatMap(({ prepare, ofGroups }) => (ofGroups ? [] : prepare)),
      boundDevices?.prepare ?? [],
    ),
    propagationSection(linux.rootfsPropagation ?? 'private'),
    section('a tmpfs of its own', tmpfs),
    section(
      'images and parts of the tmpfs as mounts',
      mounts.flatMap(({ prepareUnseen }) => prepareUnseen),
    ),
    section(
      'nothing',
      masks.prepare,
      facts.stdin || process.terminal === true
        ? []
        : withNode(AT.FDCWD, nothing.node, fd => [dup3(resultOf(fd), 0, 0)]),
    ),
    // With a user namespace the daemon has mounted them (user-namespace.ts).
    ...(userNamespace ? [] : [layersSection(spec.root.path, facts.layers)]),
    ...(joinsLate ? groups : []),
    section(
      'views of the control groups',
      mounts.flatMap(({ prepare, ofGroups }) => (ofGroups ? prepare : [])),
    ),
    rootfsSection(spec.root.path, { userNamespace }),
    // With a terminal, once that is there, too.
    section('the monitor takes over', process.terminal === true ? [] : handOver()),
    section('names', names(spec), because('nodes get the permissions that are written here', umask(0))),
    ...mounts.flatMap(mount => (isDev(mount) ? [mount.attach, devices] : [mount.attach])),
    ...(mounts.some(isDev) ? [] : [devices]),
    section(
      'control groups, read-only',
      expanded.flatMap(({ finish }) => finish),
    ),
    section('terminal', process.terminal === true ? [...terminal(process.consoleSize), ...handOver()] : []),
    section('/proc', spec.mounts.some(({ destination }) => destination === '/proc') ? requireProc() : []),
    section('kernel parameters', sysctls(linux.sysctl ?? {})),
    section('files of the kernel', fixed),
    masks.section,
    section('working directory', workingDirectory(process, true)),
    ...(spec.root.readonly === true ? [readonlyRootSection()] : []),
    section(
      'user and rights',
      ownStreams(process, facts.stdin ? [0, 1, 2] : [1, 2]),
      limits(process),
      ...rights(process, { lastCapability: facts.lastCapability, loadsFilter: filter.length > 0 }),
    ),
    section('the monitor has taken over', handedOver()),
    waitForDaemon('wait for start', 'the network is connected, and the start is requested'),
    section(
      'program',
      closeDescriptors(),
      facts.init ? executeInit(process, filter) : execute(process, filter),
    ),
    section('the monitor goes on', becomeWaiter(resultOf(clone), facts, process.terminal === true)),
  ];
  return { sections: sections.filter(({ items }) => items.length > 0), pid };
}

function joinWhenMade(enterCgroup: CgroupEntry): Item[] {
  const join = joinItems(enterCgroup);
  return join.length === 0 ? [] : [answered('the daemon makes the control groups meanwhile'), ...join];
}

/** Waits for the daemon's byte. 0 is the end of the pipe: the daemon is gone, and this container will never be started. */
function answered(why: string): Step {
  return because(why, { ...read(FD.go, new Uint8Array(1)), expect: 1 });
}

/** Reports that the process waits, and waits until the daemon answers. */
export function waitForDaemon(title: string, why: string): Section {
  return section(title, write(FD.ready, WAITING), answered(why));
}

export function becomeMappedRoot(): Section {
  return section(
    'user namespace',
    setresgid(0, 0, 0),
    because('root, as this namespace counts', setresuid(0, 0, 0)),
  );
}

function streams(terminal: boolean, stdin: boolean): Item[] {
  if (terminal) return [];
  return [
    ...(stdin ? [dup3(FD.stdin, 0, 0)] : []),
    because('its output goes through pipes that the monitor keeps open', dup3(FD.stdout, 1, 0)),
    dup3(FD.stderr, 2, 0),
  ];
}

function terminal(size: { height: number; width: number } | undefined): Item[] {
  return [
    ...openTerminal(FD.terminal, size && { rows: size.height, columns: size.width }),
    ...consoleItems(),
  ];
}

export function names({ hostname, domainname }: Spec): Item[] {
  return [
    ...(hostname === undefined ? [] : [sethostname(hostname)]),
    ...(domainname === undefined ? [] : [setdomainname(domainname)]),
  ];
}

export function sysctls(values: Record<string, string>): Item[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const file = openPlain(`/proc/sys/${name.replaceAll('.', '/')}`, O.WRONLY);
    return [
      ...file.items,
      because(`--sysctl ${name}=${value}`, writeText(resultOf(file.fd), value)),
      close(resultOf(file.fd)),
    ];
  });
}

function becomeWaiter(child: Ref, { enterCgroup }: StartFacts, terminal: boolean): Item[] {
  const execWaiter: Step = because(
    'one page of code is all that stays',
    execveat(FD.image, '', ['mini-docker-monitor'], [], AT.EMPTY_PATH),
  );
  return [
    { control: 'label', name: 'monitor' },
    because('the end of this pipe tells the daemon that the program runs', close(FD.ready)),
    close(FD.go),
    because('the memory of the start is released as soon as the daemon has read it', close(FD.data)),
    ...(enterCgroup === 'born in it' ? [close(FD.cgroup)] : []),
    ...takeOver(child, terminal ? [FD.root, FD.terminal] : [FD.root]),
    execWaiter,
  ];
}

function handOver(): Item[] {
  return [close(FD.handOverReader), write(FD.handOver, WAITING)];
}

/** Waits until the monitor has closed the pipe. Without events, ppoll(2) waits for an error alone. */
function handedOver(): Item[] {
  const pollfd = Buffer.alloc(8);
  pollfd.writeInt32LE(FD.handOver);
  return [because('what the monitor takes is closed with execve', ppoll(pollfd, 1, null, null, 0))];
}

/**
 * Only the monitor keeps the master of a terminal when a daemon dies. With the root, the layers stay mounted as long as the
 * monitor lives: else the container's exit would wait for the kernel, which writes the whole file system of the
 * upper layer to the disk before it lets go of an overlay. If the container failed before, the pipe ends instead.
 */
function takeOver(child: Ref, numbers: readonly number[]): Item[] {
  const told = mayFail(read(FD.handOverReader, new Uint8Array(1)));
  const pidfd = mayFail(pidfdOpen(child, 0));
  return [
    close(FD.handOver),
    told,
    pidfd,
    ...numbers.flatMap(number => {
      const taken = mayFail(pidfdGetfd(resultOf(pidfd), number, 0));
      return [taken, mayFail(dup3(resultOf(taken), number, 0))];
    }),
    mayFail(close(FD.handOverReader)),
  ];
}
