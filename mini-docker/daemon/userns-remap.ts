// "userns-remap": the subordinate ids of one user become the ids of all containers.

import { readFileSync } from 'node:fs';
import { unlessMissing } from '../formats/quietly.ts';
import { decodeSubordinateIds } from '../formats/subordinate-ids.ts';
import { decodeGroup, decodePasswd } from '../formats/user-database.ts';

/** The user that dockerd makes for "default". */
const DEFAULT_USER = 'dockremap';

/** As HostConfig.IDMappings has them. */
export interface Remapped {
  UidMap: string[];
  GidMap: string[];
}

/**
 * @param setting 'default', USER or USER:GROUP, by name or by number
 * @throws Error with one line when the user has no subordinate ids
 */
export function remappedIds(setting: string): Remapped {
  const [user = '', group = user] = (setting === 'default' ? DEFAULT_USER : setting).split(':');
  const uid = decodePasswd(read('/etc/passwd')).find(
    ({ name, uid }) => name === user || String(uid) === user,
  );
  const gid = decodeGroup(read('/etc/group')).find(
    ({ name, gid }) => name === group || String(gid) === group,
  );
  return {
    UidMap: ranges('/etc/subuid', uid?.name ?? user, uid?.uid),
    GidMap: ranges('/etc/subgid', gid?.name ?? group, gid?.gid),
  };
}

function ranges(file: string, name: string, id: number | undefined): string[] {
  let next = 0;
  const found = decodeSubordinateIds(read(file), name, id ?? -1).map(({ first, count }) => {
    const inside = next;
    next += count;
    return `${inside}:${first}:${count}`;
  });
  if (found.length > 0) return found;
  throw new Error(
    `userns-remap: ${file} reserves no ids for ${name} (add a line such as ${name}:231072:65536, with numbers that no other line has)`,
  );
}

const read = (path: string): string => unlessMissing(() => readFileSync(path, 'utf8')) ?? '';
