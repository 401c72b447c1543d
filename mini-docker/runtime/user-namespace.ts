// A container in a user namespace of its own: root inside is somebody else outside. user_namespaces(7)
import { chownSync, closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IdMapping, Spec } from '../formats/runtime-spec.ts';
import { startChild } from '../linux/child.ts';
import { AT, CLONE, MOUNT_ATTR, MOVE_MOUNT, OPEN_TREE } from '../linux/constants.ts';
import { reap, watchExit } from '../linux/exits.ts';
import type { Item } from '../linux/program.ts';
import { because, resultOf } from '../linux/step.ts';
import {
  close,
  exitGroup,
  mkdirat,
  mountCall,
  mountSetattr,
  moveMount,
  openTree,
  setns,
} from '../linux/syscalls.ts';
import type { Layers } from './rootfs.ts';

export function hasOwnUserNamespace(spec: Spec): boolean {
  return spec.linux.namespaces.some(({ type, path }) => type === 'user' && path === undefined);
}

/** Where the container finds its layers: they are mounted there in its own mount namespace only. */
export function mappedLayers(layers: Layers, directory: string): Layers {
  const lowerdirs = layers.lowerdirs.map((_, index) => join(directory, 'layers', String(index)));
  return { ...layers, lowerdirs };
}

/**
 * Gives the namespace of `pid` its id maps, and the process its layers with their owners shifted by the same maps
 * (idmapped mounts, Linux 5.19): a file of root in the image is one of the container's root. The writable layer becomes
 * the container's root's.
 * @throws SyscallError
 */
export async function setUpUserNamespace(options: {
  pid: number;
  spec: Spec;
  layers: Layers;
  directory: string;
  doing: string;
}): Promise<void> {
  const { pid, spec, layers, directory, doing } = options;
  const { uidMappings = [], gidMappings = [] } = spec.linux;
  writeFileSync(`/proc/${pid}/uid_map`, mapText(uidMappings));
  writeFileSync(`/proc/${pid}/gid_map`, mapText(gidMappings));
  const [uid, gid] = [hostId(uidMappings, 0), hostId(gidMappings, 0)];
  for (const owned of [layers.upperdir, layers.workdir]) chownSync(owned, uid, gid);
  const target = join(directory, 'layers');
  mkdirSync(target, { recursive: true });

  const userNamespace = openSync(`/proc/${pid}/ns/user`, 'r');
  const mountNamespace = openSync(`/proc/${pid}/ns/mnt`, 'r');
  try {
    const child = startChild(mountLayers({ mountNamespace, userNamespace, layers, target }), { doing });
    await child.executed.finally(async () => {
      await watchExit(child.pidfd);
      reap(child.pidfd);
      closeSync(child.pidfd);
    });
  } finally {
    closeSync(userNamespace);
    closeSync(mountNamespace);
  }
}

/** Made by a process that still is the host's root, in the container's mount namespace. */
function mountLayers(options: {
  mountNamespace: number;
  userNamespace: number;
  layers: Layers;
  target: string;
}): Item[] {
  const { mountNamespace, userNamespace, layers, target } = options;
  const attributes = new BigUint64Array([BigInt(MOUNT_ATTR.IDMAP), 0n, 0n, BigInt(userNamespace)]);
  const shift = new Uint8Array(attributes.buffer);
  return [
    because("the container's mounts, and no others", setns(mountNamespace, CLONE.NEWNS)),
    mountCall('tmpfs', target, 'tmpfs', 0, 'mode=755'),
    ...layers.lowerdirs.flatMap((layer, index): Item[] => {
      const copy = openTree(AT.FDCWD, layer, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC);
      const place = join(target, String(index));
      return [
        mkdirat(AT.FDCWD, place, 0o755),
        copy,
        because(
          'owners as the container numbers them',
          mountSetattr(resultOf(copy), '', AT.EMPTY_PATH, shift),
        ),
        moveMount(resultOf(copy), '', AT.FDCWD, place, MOVE_MOUNT.F_EMPTY_PATH),
        close(resultOf(copy)),
      ];
    }),
    exitGroup(0),
  ];
}

/** user_namespaces(7), "User and group ID mappings" */
function mapText(mappings: readonly IdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}

function hostId(mappings: readonly IdMapping[], id: number): number {
  const mapping = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  if (mapping === undefined) {
    throw new TypeError(`the id mappings have no host id for ${id} of the container, which its root needs`);
  }
  return mapping.hostID + id - mapping.containerID;
}
