// Who a container's user is: looked up in the image's own /etc/passwd and /etc/group, never in the host's.

import { closeSync, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lookUpUser, type UserIdentity } from '../formats/user-database.ts';
import { O } from '../linux/constants.ts';
import { openInRoot } from '../linux/in-root.ts';
import { openMergedView } from './merged-view.ts';
import type { ContainerRecord } from './record.ts';

/** Larger ones are not read: a container could fill our memory with them. */
const LARGEST = 4 * 1024 * 1024;

interface Databases {
  passwd: string;
  group: string;
}

/** By image id: containers that never touched their /etc share it. */
const ofImages = new Map<string, Databases>();

/** Of a container that does not run. @throws UserNotFound */
export function storedIdentity(
  record: ContainerRecord,
  layers: { lowerdirs: string[]; upperdir: string },
): UserIdentity {
  const { User = '' } = record.config;
  const groupAdd = record.hostConfig.GroupAdd ?? [];
  return lookUpUser(User, { ...storedDatabases(record.imageId, layers), groupAdd });
}

/** Of a running container, for `exec`: as its own /etc is now. */
export function currentIdentity(pid: number, options: { user: string; groupAdd: string[] }): UserIdentity {
  const root = openRootOf(pid);
  try {
    return lookUpUser(options.user, { ...readDatabases(root), groupAdd: options.groupAdd });
  } finally {
    closeSync(root);
  }
}

/** The root directory that a process sees, with all its mounts. The caller's to close. */
export function openRootOf(pid: number): number {
  return openSync(`/proc/${pid}/root`, O.PATH | O.DIRECTORY);
}

function storedDatabases(imageId: string, layers: { lowerdirs: string[]; upperdir: string }): Databases {
  const isUntouched = lstatSync(join(layers.upperdir, 'etc'), { throwIfNoEntry: false }) === undefined;
  const known = isUntouched ? ofImages.get(imageId) : undefined;
  if (known) return known;
  const root = openMergedView(layers);
  try {
    const found = readDatabases(root);
    if (isUntouched) ofImages.set(imageId, found);
    return found;
  } finally {
    closeSync(root);
  }
}

function readDatabases(root: number): Databases {
  return { passwd: readText(root, '/etc/passwd'), group: readText(root, '/etc/group') };
}

/** '' for what is not there, or is no ordinary file: a FIFO there must not hold us up. */
function readText(root: number, path: string): string {
  let fd: number;
  try {
    fd = openInRoot(root, path, O.RDONLY | O.NONBLOCK | O.NOCTTY);
  } catch {
    return '';
  }
  try {
    const stats = fstatSync(fd);
    return stats.isFile() && stats.size <= LARGEST ? readFileSync(fd, 'utf8') : '';
  } finally {
    closeSync(fd);
  }
}
