// Who a container's user is: looked up in the image's own /etc/passwd and /etc/group, never in the host's.

import { closeSync, lstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { lookUpUser, type UserIdentity } from '../../formats/user-database.ts';
import { O } from '../../linux/constants.ts';
import { readTextInRoot } from '../../linux/plain-file.ts';
import { openMergedView } from '../../runtime/merged-view.ts';
import type { ContainerRecord } from '../state/record.ts';

interface Databases {
  passwd: string;
  group: string;
}

/** By image id: containers that never touched their /etc share it. */
const ofImages = new Map<string, Databases>();

/** Of a container that does not run. @throws ExpectedError */
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
  return { passwd: readTextInRoot(root, '/etc/passwd'), group: readTextInRoot(root, '/etc/group') };
}
