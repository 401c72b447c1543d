// What the start program cannot do itself for a mount, and gets as a descriptor: a tmpfs with the content of the
// directory that it covers (tmpcopyup), and user namespaces whose maps shift the owners of files (idmap).
import { closeSync, constants, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../formats/errors.ts';
import type { IdMapping, Mount, Spec } from '../formats/oci/runtime-spec.ts';
import { call } from '../linux/call.ts';
import { startChild } from '../linux/child.ts';
import { CLONE, FSCONFIG, FSMOUNT, FSOPEN } from '../linux/constants.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { resolveInRoot } from '../linux/in-root.ts';
import { spawnSync } from '../linux/on-demand.ts';
import { pipe } from '../linux/pipes.ts';
import { exitGroup, fsconfig, fsmount, fsopen, read } from '../linux/syscalls.ts';
import { parseMountOptions } from '../runtime/mount-options.ts';
import { mapText } from './id-maps.ts';

export interface MadeMounts {
  /** Descriptors, and the numbers that they get in the start program. */
  descriptors: [fd: number, number: number][];
  /** Numbers of finished mounts. */
  made: Map<Mount, number>;
  /** Numbers of user namespaces. */
  userNamespaces: Map<Mount, number>;
}

export const COPY_UP = 'tmpcopyup';
const wantsMap = ({ options = [], uidMappings, gidMappings }: Mount): boolean =>
  options.includes('idmap') || options.includes('ridmap') || !!uidMappings?.length || !!gidMappings?.length;

export function needsMadeMounts({ mounts }: Spec): boolean {
  return mounts.some(mount => mount.options?.includes(COPY_UP) || wantsMap(mount));
}

/** @param options.first the first number that is free in the start program; `owner` closes the descriptors */
export async function makeMounts(
  spec: Spec,
  { first, owner }: { first: number; owner: DisposableStack },
): Promise<MadeMounts> {
  const result: MadeMounts = { descriptors: [], made: new Map(), userNamespaces: new Map() };
  const pass = (fd: number): number => {
    owner.adopt(fd, closeSync);
    const number = first + result.descriptors.length;
    result.descriptors.push([fd, number]);
    return number;
  };
  for (const mount of spec.mounts) {
    if (mount.options?.includes(COPY_UP)) result.made.set(mount, pass(filledTmpfs(mount, spec.root.path)));
    if (!wantsMap(mount)) continue;
    if (mount.type !== 'bind')
      throw new FormatError(`the mount at ${mount.destination}: only bind mounts can have id maps`);
    const { uidMappings = spec.linux.uidMappings ?? [], gidMappings = spec.linux.gidMappings ?? [] } = mount;
    if (uidMappings.length === 0 || gidMappings.length === 0)
      throw new FormatError(`the mount at ${mount.destination} has no uidMappings or no gidMappings`);
    result.userNamespaces.set(mount, pass(await userNamespace(uidMappings, gidMappings)));
  }
  return result;
}

function filledTmpfs(mount: Mount, root: string): number {
  if (mount.type !== 'tmpfs')
    throw new FormatError(`the mount at ${mount.destination}: ${COPY_UP} is for tmpfs only`);
  const { data, attributes } = parseMountOptions((mount.options ?? []).filter(each => each !== COPY_UP));
  const context = call(fsopen('tmpfs', FSOPEN.CLOEXEC));
  try {
    for (const [key, value] of data)
      call(
        fsconfig(
          context,
          value === undefined ? FSCONFIG.SET_FLAG : FSCONFIG.SET_STRING,
          key,
          value ?? null,
          0,
        ),
      );
    call(fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0));
    const tree = call(fsmount(context, FSMOUNT.CLOEXEC, attributes));
    copyInto(tree, mount, root);
    return tree;
  } finally {
    closeSync(context);
  }
}

function copyInto(tree: number, { destination }: Mount, root: string): void {
  const directory = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const source = join(root, resolveInRoot(directory, destination).toString());
    const target = `/proc/${process.pid}/fd/${tree}/`;
    const { status, stderr } = spawnSync('cp', ['-a', `${source}/.`, target], { encoding: 'utf8' });
    if (status !== 0 && !/No such file/.test(stderr))
      throw new Error(`cannot copy ${destination} into its tmpfs: ${stderr.trim()}`);
  } finally {
    closeSync(directory);
  }
}

/** Made by a process that enters it and waits until the maps are written; the descriptor keeps it. */
async function userNamespace(uids: readonly IdMapping[], gids: readonly IdMapping[]): Promise<number> {
  const { readEnd, writeEnd } = pipe();
  try {
    const child = startChild([read(readEnd, Buffer.alloc(1)), exitGroup(0)], {
      flags: CLONE.NEWUSER,
      doing: 'cannot map the owners of a mount',
    });
    try {
      writeFileSync(`/proc/${child.pid}/uid_map`, mapText(uids));
      writeFileSync(`/proc/${child.pid}/gid_map`, mapText(gids));
      return openSync(`/proc/${child.pid}/ns/user`, 'r');
    } finally {
      writeSync(writeEnd, '.');
      await new HeldProcess(child.pidfd).ended();
    }
  } finally {
    closeSync(readEnd);
    closeSync(writeEnd);
  }
}
