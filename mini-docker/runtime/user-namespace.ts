// A container in a user namespace of its own: root inside is somebody else outside. user_namespaces(7)

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
import { makeNull } from './own-null.ts';
import { type Layers, overlay, PLAIN_LAYERS } from './rootfs.ts';
import type { StreamDescriptors } from './streams.ts';

export function hasOwnUserNamespace(spec: Spec): boolean {
  return spec.linux.namespaces.some(({ type, path }) => type === 'user' && path === undefined);
}

/** A program may open its own /dev/stdout again only if the pipe is its user namespace's. */
export function giveStreams(spec: Spec, descriptors: StreamDescriptors): void {
  if (!hasOwnUserNamespace(spec)) return;
  const { uid, gid } = onHost(spec, { uid: 0, gid: 0 });
  for (const each of Object.values(descriptors)) if (each !== undefined) fchownSync(each.number, uid, gid);
}

/**
 * In the container's mount namespace, until its root changes, a tmpfs hides what the host has there. Where the run
 * directory lies the container's root may not get through; here everybody may.
 */
export const STAGE = '/run';
const ROOT = join(STAGE, 'root');
const isBind = ({ type, options = [] }: Mount): boolean =>
  type === 'bind' || options.includes('bind') || options.includes('rbind');

export function stagedDevice(index: number): string {
  return join(STAGE, `device-${index}`);
}

/** Where the container finds its root, and what is mounted on it from the host. */
export function staged(spec: Spec): Spec {
  const mounts = spec.mounts.map((mount, index) =>
    isBind(mount) ? { ...mount, source: join(STAGE, `mount-${index}`) } : mount,
  );
  return { ...spec, root: { ...spec.root, path: ROOT }, mounts };
}

/**
 * Gives the namespace of `pid` its id maps, and the process its root filesystem, with owners shifted by the same maps
 * (idmapped mounts, Linux 5.19): a file of root in the image is one of the container's root. On disk the writable layer
 * has the ids that the container knows, as an image has. What is mounted from the host is not shifted.
 * @throws SyscallError
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

/** Made by a process that still is the host's root, in the container's mount namespace. */
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
  // Overlay wants both on one mount.
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
    ...stagedDevices(devices, { place: stagedDevice, onHost: owner => onHost(spec, owner) }),
    // Overlay works with the rights of who mounts it, and who has no number on the shifted mounts can make nothing there.
    because('setuid is to leave the capabilities', prctl(PR.SET_SECUREBITS, NO_SETUID_FIXUP, 0, 0, 0)),
    ...asMappedRoot(spec),
    ...overlay(
      ROOT,
      {
        lowerdirs: lower.map(each => each.place),
        upperdir: join(own.place, basename(upperdir)),
        workdir: join(own.place, basename(workdir)),
      },
      // A device in an image would be one of the host's.
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
  /** Opens what is to be there. */
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
