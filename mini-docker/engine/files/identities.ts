// Looks up a container's user in its own /etc/passwd and /etc/group, never in the host's.

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

/** User databases by image id: containers share the image's while they have not changed /etc. */
const ofImages = new Map<string, Databases>();

/** The user of a container that is not running. @throws ExpectedError when the user does not exist */
export function storedIdentity(
  record: ContainerRecord,
  layers: { lowerdirs: string[]; upperdir: string },
): UserIdentity {
  const { User = '' } = record.config;
  const groupAdd = record.hostConfig.GroupAdd ?? [];
  return lookUpUser(User, { ...storedDatabases(record.imageId, layers), groupAdd });
}

/** A user for `exec`, looked up in the running container's present /etc. */
export function currentIdentity(pid: number, options: { user: string; groupAdd: string[] }): UserIdentity {
  const root = openRootOf(pid);
  try {
    return identityIn(root, options.user, options.groupAdd);
  } finally {
    closeSync(root);
  }
}

/** A user, looked up in the /etc of a root directory. @throws ExpectedError when the user does not exist */
export function identityIn(root: number, user: string, groupAdd: string[] = []): UserIdentity {
  return lookUpUser(user, { ...readDatabases(root), groupAdd });
}

/** Opens the root directory that a process sees, with all its mounts. The caller closes it. */
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
