// Sets up a container in its own user namespace: root inside is an unprivileged user outside.
// user_namespaces(7)

import { closeSync, fchownSync, openSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hostId } from '../formats/id-mappings.ts';
import type { IdMapping, Mount, Spec } from '../formats/oci/runtime-spec.ts';
import { startChild } from '../linux/child.ts';
import { AT, CLONE, MOUNT_ATTR, MOVE_MOUNT, MS, O, OPEN_TREE, PR } from '../linux/constants.ts';
import { NO_SETUID_FIXUP } from '../linux/file-user.ts';
import { HeldProcess } from '../linux/held-process.ts';
import type { Item } from '../linux/program.ts';
import { because, resultOf, type Step } from '../linux/step.ts';
import { encodeMountAttr } from '../linux/structures.ts';
import {
  close,
  exitGroup,
  mkdirat,
  mountCall,
  mountSetattr,
  moveMount,
  openat,
  openTree,
  prctl,
  setns,
  setresgid,
  setresuid,
} from '../linux/syscalls.ts';
import { stagedDevices } from './devices.ts';
import { makeEmpty, makeNull } from './own-null.ts';
import { type Layers, overlay, PLAIN_LAYERS } from './rootfs.ts';

export function hasOwnUserNamespace(spec: Spec): boolean {
  return spec.linux.namespaces.some(({ type, path }) => type === 'user' && path === undefined);
}

/** A program can reopen its /dev/stdout only if its user namespace owns the pipe. */
export function giveStreams(spec: Spec, streams: readonly (number | undefined)[]): void {
  if (!hasOwnUserNamespace(spec)) return;
  const { uid, gid } = onHost(spec, { uid: 0, gid: 0 });
  for (const fd of streams) if (fd !== undefined) fchownSync(fd, uid, gid);
}

/**
 * Where a tmpfs covers the host's directory in the container's mount namespace until its root changes. The
 * container's root may lack permission to reach the run directory; this one is open to all users.
 */
export const STAGE = '/run';
const ROOT = join(STAGE, 'root');
const isBind = ({ type, options = [] }: Mount): boolean =>
  type === 'bind' || options.includes('bind') || options.includes('rbind');

export function stagedDevice(index: number): string {
  return join(STAGE, `device-${index}`);
}

/** The spec with the paths of its root, and of the host's mounts, below the stage. */
export function staged(spec: Spec): Spec {
  const mounts = spec.mounts.map((mount, index) =>
    isBind(mount) ? { ...mount, source: join(STAGE, `mount-${index}`) } : mount,
  );
  return { ...spec, root: { ...spec.root, path: ROOT }, mounts };
}

/**
 * Gives the user namespace of `pid` its id maps, and the process its root filesystem, with owners shifted by
 * the same maps (idmapped mounts, Linux 5.19): root's files in the image belong to the container's root. On
 * disk the writable layer has the container's ids, as an image does. Mounts from the host are not shifted.
 * @throws SyscallError when the kernel refuses
 */
export async function setUpUserNamespace(options: {
  pid: number;
  spec: Spec;
  layers: Layers;
  doing: string;
}): Promise<void> {
  const { pid, spec, layers, doing } = options;
  const { uidMappings = [], gidMappings = [] } = spec.linux;
  writeFileSync(`/proc/${pid}/uid_map`, mapText(uidMappings));
  writeFileSync(`/proc/${pid}/gid_map`, mapText(gidMappings));
  const userNamespace = openSync(`/proc/${pid}/ns/user`, 'r');
  const mountNamespace = openSync(`/proc/${pid}/ns/mnt`, 'r');
  try {
    const steps = mountRoot({ mountNamespace, userNamespace, spec, layers });
    const child = startChild(steps, { doing });
    await child.executed.finally(() => new HeldProcess(child.pidfd).ended());
  } finally {
    closeSync(userNamespace);
    closeSync(mountNamespace);
  }
}

/** Run by a process that is still the host's root, in the container's mount namespace. */
function mountRoot(options: {
  mountNamespace: number;
  userNamespace: number;
  spec: Spec;
  layers: Layers;
}): Item[] {
  const { mountNamespace, userNamespace, spec, layers } = options;
  const { lowerdirs, upperdir, workdir } = layers;
  const { devices = [] } = spec.linux;
  const shift = encodeMountAttr({ set: MOUNT_ATTR.IDMAP, userNamespace });
  const shifted = (source: string, name: string): Staged => {
    const copy = openTree(AT.FDCWD, source, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC);
    const map = because(
      'owners as the container numbers them',
      mountSetattr(resultOf(copy), '', AT.EMPTY_PATH, shift),
    );
    return { copy, open: [copy, map], place: join(STAGE, name), kind: 'directory' };
  };
  // Overlay requires both on the same mount.
  if (dirname(upperdir) !== dirname(workdir)) throw new TypeError('upperdir and workdir are not neighbours');
  const own = shifted(dirname(upperdir), 'own');
  const lower = lowerdirs.map((source, index) => shifted(source, `layer-${index}`));
  const binds = spec.mounts.flatMap((mount, index) =>
    isBind(mount) ? [bound(mount, join(STAGE, `mount-${index}`))] : [],
  );
  const all = [own, ...lower, ...binds];
  return [
    ...all.flatMap(({ open }) => open),
    because("the container's mounts, and no others", setns(mountNamespace, CLONE.NEWNS)),
    because('nothing of it may appear on the host', mountCall(null, '/', null, MS.REC | MS.PRIVATE, null)),
    mountCall('tmpfs', STAGE, 'tmpfs', 0, 'mode=755'),
    mkdirat(AT.FDCWD, ROOT, 0o755),
    ...all.flatMap(place),
    ...makeNull(AT.FDCWD, STAGE),
    ...makeEmpty(STAGE),
    ...stagedDevices(devices, { place: stagedDevice, onHost: owner => onHost(spec, owner) }),
    // Overlay uses the rights of the mounting process, which can create nothing if its id is not mapped on
    // the shifted mounts.
    because('setuid is to leave the capabilities', prctl(PR.SET_SECUREBITS, NO_SETUID_FIXUP, 0, 0, 0)),
    ...asMappedRoot(spec),
    ...overlay(
      ROOT,
      {
        lowerdirs: lower.map(each => each.place),
        upperdir: join(own.place, basename(upperdir)),
        workdir: join(own.place, basename(workdir)),
      },
      // A device node in an image would be a device of the host.
      { flags: MS.NODEV, extra: PLAIN_LAYERS },
    ),
    exitGroup(0),
  ];
}

function onHost(spec: Spec, { uid, gid }: Owner): Owner {
  const { uidMappings = [], gidMappings = [] } = spec.linux;
  return { uid: hostId(uidMappings, uid), gid: hostId(gidMappings, gid) };
}

function asMappedRoot(spec: Spec): Step[] {
  const { uid, gid } = onHost(spec, { uid: 0, gid: 0 });
  return [setresgid(gid, gid, gid), setresuid(uid, uid, uid)];
}

interface Owner {
  uid: number;
  gid: number;
}

interface Staged {
  /** The step that opens the source. */
  copy: Step;
  open: Item[];
  place: string;
  kind: 'file' | 'directory';
}

function bound({ source, options = [] }: Mount, at: string): Staged {
  const recursive = options.includes('rbind') ? AT.RECURSIVE : 0;
  const copy = openTree(AT.FDCWD, source, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | recursive);
  const isDirectory = statSync(source, { throwIfNoEntry: false })?.isDirectory() ?? true;
  return { copy, open: [copy], place: at, kind: isDirectory ? 'directory' : 'file' };
}

function place({ copy, place: at, kind }: Staged): Item[] {
  const file = openat(AT.FDCWD, at, O.CREAT | O.WRONLY | O.CLOEXEC, 0o600);
  return [
    ...(kind === 'directory' ? [mkdirat(AT.FDCWD, at, 0o755)] : [file, close(resultOf(file))]),
    moveMount(resultOf(copy), '', AT.FDCWD, at, MOVE_MOUNT.F_EMPTY_PATH),
    close(resultOf(copy)),
  ];
}

/** user_namespaces(7), "User and group ID mappings" */
function mapText(mappings: readonly IdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}
