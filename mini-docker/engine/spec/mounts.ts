// The mounts of a container, in order: docker's defaults, then the user's.

import type { HostConfig } from '../../formats/engine-api/containers.ts';
import type { Mount, MountPart } from '../../formats/oci/runtime-spec.ts';
import { inUserNamespace, lastMappedId } from '../../linux/own-user-namespace.ts';
import type { RecordMount } from '../state/record.ts';

export interface MountPlan {
  host: HostConfig;
  mounts: RecordMount[];
  /** By mount point: the parts of volumes and images. */
  parts?: ReadonlyMap<string, MountPart> | undefined;
  /** Host paths of the container's own versions of these files of /etc. */
  etcFiles: { hostname: string; hosts: string; resolvConf: string };
  /**
   * The host directory for /dev/shm with --ipc shareable, container:NAME or host; undefined for a private
   * tmpfs.
   */
  shmDirectory?: string | undefined;
  /** Files of /proc and /sys that lxcfs replaces. */
  lxcfs?: Mount[] | undefined;
}

const TTY = 5;
const DEFAULT_SHM_SIZE = 64 * 1024 * 1024;

export function specMounts(plan: MountPlan): Mount[] {
  const mine = userMounts(plan);
  const taken = new Set(mine.map(mount => mount.destination));
  // A user's mount on /dev or /sys hides everything below it: docker's defaults there would cover the user's
  // files, or find no directory to lie on.
  const isHidden = (path: string) => [...taken].some(place => path === place || path.startsWith(`${place}/`));
  const etc = etcMounts(plan).filter(mount => !taken.has(mount.destination));
  return [
    ...defaultMounts(plan).filter(mount => !isHidden(mount.destination)),
    // Outer mounts first: a mount on /etc must not cover /etc/hosts.
    ...[...etc, ...mine].sort((a, b) => depth(a) - depth(b)),
    ...(plan.lxcfs ?? []),
  ];
}

function depth(mount: Mount): number {
  return mount.destination.split('/').length;
}

/** 'tty', to which mesg(1) and write(1) refer; a rootless daemon may not have the id. */
function terminalGroup(): string[] {
  return lastMappedId('gid') < TTY ? [] : [`gid=${TTY}`];
}

/**
 * Whether the kernel refuses a new file system of the namespace to root of a user namespace, because it is the
 * machine's.
 */
function cannotMount(mode: string | undefined): boolean {
  return mode === 'host' && inUserNamespace();
}

function defaultMounts({ host, shmDirectory }: MountPlan): Mount[] {
  const access = host.Privileged ? 'rw' : 'ro';
  const hardened = ['nosuid', 'noexec', 'nodev'];
  return [
    cannotMount(host.PidMode)
      ? { destination: '/proc', type: 'bind', source: '/proc', options: ['rbind', 'rprivate', ...hardened] }
      : { destination: '/proc', type: 'proc', source: 'proc', options: hardened },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      part: 'devices',
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...terminalGroup()],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...hardened, access] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [access, ...hardened],
    },
    // Shows the queues of the container's IPC namespace, even if that is the host's; few hosts mount it.
    ...(cannotMount(host.IpcMode)
      ? []
      : [{ destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: hardened }]),
    shmDirectory === undefined
      ? {
          destination: '/dev/shm',
          type: 'tmpfs',
          source: 'shm',
          options: [...hardened, 'mode=1777', `size=${host.ShmSize || DEFAULT_SHM_SIZE}`],
        }
      : {
          destination: '/dev/shm',
          type: 'bind',
          source: shmDirectory,
          options: ['rbind', 'rprivate', ...hardened],
        },
  ].filter(mount => host.IpcMode !== 'none' || mount.destination !== '/dev/shm');
}

/** Bind mounts rather than files of the image, so that they appear in no commit and no diff. */
function etcMounts({ etcFiles, host }: MountPlan): Mount[] {
  const options = ['rbind', 'rprivate', ...(host.ReadonlyRootfs ? ['ro'] : [])];
  return [
    { destination: '/etc/resolv.conf', type: 'bind', source: etcFiles.resolvConf, options },
    { destination: '/etc/hostname', type: 'bind', source: etcFiles.hostname, options },
    { destination: '/etc/hosts', type: 'bind', source: etcFiles.hosts, options },
  ];
}

function userMounts({ host, mounts, parts }: MountPlan): Mount[] {
  const temporary = Object.entries(host.Tmpfs ?? {}).map(([destination, options]) =>
    tmpfs(destination, options === '' ? [] : options.split(',')),
  );
  return [...mounts.map(mount => fromRecord(mount, parts?.get(mount.Destination))), ...temporary];
}

function fromRecord(mount: RecordMount, { subpath, layers }: MountPart = {}): Mount {
  const part = subpath === undefined ? {} : { subpath };
  if (layers !== undefined) {
    const read = { destination: mount.Destination, options: ['ro'], ...part };
    // Overlay wants two layers.
    return layers.length === 1
      ? { ...read, type: 'bind', source: layers[0]!, options: ['bind', 'ro', 'rprivate'] }
      : { ...read, type: 'overlay', source: mount.Source, layers };
  }
  if (mount.Type === 'tmpfs') {
    return tmpfs(mount.Destination, [...(mount.options ?? []), ...(mount.RW ? [] : ['ro'])]);
  }
  if (mount.filesystem) {
    const { type, device, options } = mount.filesystem;
    const access = mount.RW ? [] : ['ro'];
    return { destination: mount.Destination, type, source: device, options: [...options, ...access] };
  }
  // Mounts below it are read-only as well, unless the user chose otherwise.
  const access = mount.RW ? [] : [mount.writableBelow ? 'ro' : 'rro'];
  return {
    destination: mount.Destination,
    type: 'bind',
    source: mount.Source,
    options: [mount.nonRecursive ? 'bind' : 'rbind', ...access, mount.Propagation || 'rprivate'],
    ...part,
  };
}

/** Docker's defaults for `--tmpfs`; the user's exec, suid and dev come later and override them. */
function tmpfs(destination: string, options: string[]): Mount {
  return {
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['noexec', 'nosuid', 'nodev', ...options],
  };
}
