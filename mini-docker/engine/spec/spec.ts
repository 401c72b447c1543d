// Translates docker's configuration into the OCI runtime specification. Facts of this machine and of the
// image are in the input, except for the device numbers of disks in limits (resources.ts).

import { posix } from 'node:path';
import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import type { Device, Linux, Mount, MountPart, Process, Spec } from '../../formats/oci/runtime-spec.ts';
import { ULIMITS } from '../../formats/ulimits.ts';
import type { UserIdentity } from '../../formats/user-database.ts';
import { lastMappedId } from '../../linux/own-user-namespace.ts';
import type { HostFacts } from '../core/host-facts.ts';
import { idMappings, isMapped } from '../state/id-mappings.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerCapabilities } from './capabilities.ts';
import { DEFAULT_DEVICES, type GrantedDevice } from './devices.ts';
import { environment } from './environment.ts';
import { specMounts } from './mounts.ts';
import { type Joined, namespacesOf } from './namespaces.ts';
import { resourcesOf } from './resources.ts';
import { containerSeccomp } from './seccomp-profiles.ts';
import { decodeSecurityOptions } from './security-options.ts';
import { containerSysctls } from './sysctls.ts';

export interface SpecInput {
  record: ContainerRecord;
  facts: HostFacts;
  user: UserIdentity;
  /** Where the root filesystem is mounted, in the container's mount namespace. */
  rootfs: string;
  etcFiles: { hostname: string; hosts: string; resolvConf: string };
  shmDirectory?: string;
  /** Parts of volumes and images, by mount point. */
  parts?: ReadonlyMap<string, MountPart>;
  joined: Joined;
  /** Variables that describe linked containers. */
  linked?: string[];
  /** Files of /proc and /sys that lxcfs replaces. */
  lxcfs?: Mount[];
  granted: GrantedDevice[];
  /** The host's devices, with --privileged. */
  hostDevices: Device[];
}

/** @throws badParameter when a capability, sysctl, ulimit or security option cannot be applied */
export function buildSpec(input: SpecInput): Spec {
  const { record, rootfs, etcFiles, shmDirectory, parts, lxcfs } = input;
  const { config, hostConfig, mounts } = record;
  const ownUts = hostConfig.UTSMode !== 'host';
  const process = containerProcess(input);
  return {
    ociVersion: '1.2.0',
    ...(ownUts && config.Hostname ? { hostname: config.Hostname } : {}),
    ...(ownUts && config.Domainname ? { domainname: config.Domainname } : {}),
    process,
    root: { path: rootfs, ...(hostConfig.ReadonlyRootfs ? { readonly: true } : {}) },
    mounts: specMounts({ host: hostConfig, mounts, etcFiles, shmDirectory, parts, lxcfs }),
    linux: linuxOf(input, process.capabilities?.bounding ?? []),
    ...(hostConfig.Annotations ? { annotations: hostConfig.Annotations } : {}),
  };
}

function containerProcess({ record, facts, user, linked = [] }: SpecInput): Process {
  const { config, hostConfig } = record;
  const { noNewPrivileges, apparmor, selinux } = decodeSecurityOptions(hostConfig, facts);
  const capabilities = containerCapabilities({
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    privileged: hostConfig.Privileged === true,
    available: facts.capabilities,
  });
  const [rows, columns] = hostConfig.ConsoleSize ?? [0, 0];
  return {
    ...(config.Tty ? { terminal: true } : {}),
    ...(config.Tty && rows > 0 && columns > 0 ? { consoleSize: { height: rows, width: columns } } : {}),
    cwd: config.WorkingDir || '/',
    env: environment({
      hostname: config.Hostname ?? '',
      tty: config.Tty === true,
      own: [...linked, ...(config.Env ?? [])],
      home: user.home,
    }),
    args: [record.path, ...record.args],
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    capabilities: processCapabilities(capabilities, user.uid),
    rlimits: (hostConfig.Ulimits ?? []).map(rlimit),
    ...(noNewPrivileges ? { noNewPrivileges } : {}),
    ...(hostConfig.OomScoreAdj ? { oomScoreAdj: hostConfig.OomScoreAdj } : {}),
    ...(apparmor === 'unconfined' ? {} : { apparmorProfile: apparmor }),
    ...(selinux === undefined ? {} : { selinuxLabel: selinux }),
  };
}

/**
 * For a user other than root none are in effect; only setuid programs and file capabilities reach the
 * bounding set.
 */
export function processCapabilities(names: string[], uid: number): NonNullable<Process['capabilities']> {
  const own = uid === 0 ? names : [];
  return { bounding: names, effective: own, permitted: own, inheritable: [], ambient: [] };
}

/** Relative to the root of every cgroup hierarchy; '..' does not lead out of it. */
export const cgroupsPath = ({ id, hostConfig }: ContainerRecord): string =>
  posix.join('/', hostConfig.CgroupParent || 'mini-docker', id);

function linuxOf(input: SpecInput, capabilities: readonly string[]): Linux {
  const { record, joined, granted, hostDevices, facts } = input;
  const { hostConfig } = record;
  const seccomp = seccompOf(hostConfig, { facts, capabilities });
  return {
    namespaces: namespacesOf(record, joined),
    ...userNamespace(input),
    devices: [
      ...DEFAULT_DEVICES.filter(isNotIn(hostDevices)),
      ...hostDevices,
      ...granted.map(each => each.device),
    ],
    cgroupsPath: cgroupsPath(record),
    resources: resourcesOf(hostConfig, granted),
    ...(needsSharedRoot(record) ? { rootfsPropagation: needsSharedRoot(record)! } : {}),
    sysctl: containerSysctls(hostConfig),
    maskedPaths: hostConfig.MaskedPaths ?? [],
    readonlyPaths: hostConfig.ReadonlyPaths ?? [],
    ...(seccomp === undefined ? {} : { seccomp }),
  };
}

/** @throws badParameter when the container's user has no id on the host */
function userNamespace({ record, user }: SpecInput): Partial<Linux> {
  const mappings = idMappings(record.hostConfig);
  if (mappings === undefined) {
    const [lastUid, lastGid] = [lastMappedId('uid'), lastMappedId('gid')];
    if (user.uid <= lastUid && user.gid <= lastGid) return {};
    throw badParameter(
      `user ${user.uid}:${user.gid} cannot be used: this rootless daemon has the user ids 0 to ${lastUid} and the group ids 0 to ${lastGid}, from /etc/subuid and /etc/subgid`,
    );
  }
  const isThere = isMapped(mappings.uid, user.uid) && isMapped(mappings.gid, user.gid);
  if (!isThere) {
    throw badParameter(`user ${user.uid}:${user.gid} has no id on the host: see --uidmap and --gidmap`);
  }
  return { uidMappings: mappings.uid, gidMappings: mappings.gid };
}

function isNotIn(devices: Device[]): (device: Device) => boolean {
  const paths = new Set(devices.map(({ path }) => path));
  return ({ path }) => !paths.has(path);
}

/**
 * The filter for a container with these capabilities in its bounding set. @throws badParameter when the
 * profile is invalid
 */
export function seccompOf(
  host: HostConfig,
  options: { facts: HostFacts; capabilities: readonly string[] },
): Linux['seccomp'] {
  const { facts, capabilities } = options;
  const { seccomp } = decodeSecurityOptions(host, facts);
  if (seccomp === 'unconfined') return undefined;
  return containerSeccomp(seccomp === 'default' ? undefined : seccomp, {
    kernel: facts.kernel,
    capabilities,
  });
}

/** Whether a mount is to propagate mounts below it, which needs a root with propagation. */
function needsSharedRoot(record: ContainerRecord): 'shared' | 'slave' | undefined {
  const wanted = record.mounts.map(mount => mount.Propagation);
  if (wanted.some(each => each === 'shared' || each === 'rshared')) return 'shared';
  return wanted.some(each => each === 'slave' || each === 'rslave') ? 'slave' : undefined;
}

function rlimit({ Name, Soft, Hard }: { Name: string; Soft: number; Hard: number }) {
  const name = Name.toLowerCase();
  if (!ULIMITS.includes(name)) throw badParameter(`invalid ulimit type: ${Name}`);
  return { type: `RLIMIT_${name.toUpperCase()}`, soft: Soft, hard: Hard };
}
