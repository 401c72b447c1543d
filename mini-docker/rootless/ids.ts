// The ids of a user namespace, mapped to ids of the machine. user_namespaces(7), newuidmap(1), subuid(5)

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { internal } from '../formats/errors.ts';
import { quietly, unlessMissing } from '../formats/quietly.ts';
import { decodeSubordinateIds, type IdRange } from '../formats/subordinate-ids.ts';

/** login.defs(5): SUB_UID_MIN and SUB_UID_COUNT. */
const FIRST = 100_000;
const RANGE = 65_536;

/**
 * Gives the new user namespace of `pid`, which waits for that, its id maps: root inside is this user, and the
 * ids from 1 on are the user's subordinate ids.
 * @returns what will not work because of missing ids, in a sentence
 * @throws ExpectedError when newuidmap or newgidmap refuses
 */
export function mapIds(pid: number): string | undefined {
  const [uid, gid] = [process.getuid!(), process.getgid!()];
  const user = nameOf(uid);
  const missing = user === undefined ? `the user ${uid} has no name in /etc/passwd` : missingIds(user, uid);
  if (missing !== undefined) {
    mapOne(pid, uid, gid);
    return `only one user id is mapped, since ${missing}: files and processes of other users in containers belong to root, and --user works for root only`;
  }
  ask('newuidmap', [pid, 0, uid, 1, ...mapped(subordinateIds('/etc/subuid', user!, uid))]);
  ask('newgidmap', [pid, 0, gid, 1, ...mapped(subordinateIds('/etc/subgid', user!, uid))]);
  return undefined;
}

function nameOf(uid: number): string | undefined {
  // getpwuid(3) may find no entry.
  return quietly(() => userInfo().username || undefined) ?? (uid === 0 ? 'root' : undefined);
}

function missingIds(user: string, uid: number): string | undefined {
  for (const helper of ['newuidmap', 'newgidmap']) {
    if (spawnSync(helper).error !== undefined) return `${helper} is missing (install the package uidmap)`;
  }
  for (const file of ['/etc/subuid', '/etc/subgid']) {
    if (subordinateIds(file, user, uid).length > 0) continue;
    const [first, last] = freeRange();
    return `${file} reserves no ids for ${user} (root can: usermod --add-subuids ${first}-${last} --add-subgids ${first}-${last} ${user})`;
  }
  return undefined;
}

/** Ids above all reserved ones, as many as useradd(8) reserves. */
function freeRange(): [first: number, last: number] {
  const lines = ['/etc/subuid', '/etc/subgid'].flatMap(file => read(file).split('\n'));
  const ends = lines.map(line => line.split(':')).map(([, first, count]) => Number(first) + Number(count));
  const first = Math.max(FIRST, ...ends.filter(end => end > 0));
  return [first, first + RANGE - 1];
}

/** The kernel demands `setgroups` first: else a user could leave a group that is there to keep its members out. */
function mapOne(pid: number, uid: number, gid: number): void {
  writeFileSync(`/proc/${pid}/setgroups`, 'deny');
  writeFileSync(`/proc/${pid}/uid_map`, `0 ${uid} 1`);
  writeFileSync(`/proc/${pid}/gid_map`, `0 ${gid} 1`);
}

function subordinateIds(file: string, user: string, uid: number): IdRange[] {
  return decodeSubordinateIds(read(file), user, uid);
}

const read = (file: string): string => unlessMissing(() => readFileSync(file, 'utf8')) ?? '';

/** The ranges one after another from 1 on, as arguments of newuidmap. */
function mapped(ranges: readonly IdRange[]): number[] {
  let next = 1;
  return ranges.flatMap(({ first, count }) => {
    const inside = next;
    next += count;
    return [inside, first, count];
  });
}

/** Runs newuidmap or newgidmap: set-uid programs, which check that the caller may use these ids. */
function ask(helper: string, args: readonly number[]): void {
  const { status, stderr } = spawnSync(helper, args.map(String), { encoding: 'utf8' });
  if (status === 0) return;
  throw internal(
    `cannot map the ids of the user namespace: ${helper} ${args.slice(1).join(' ')}: ${stderr.trim().split('\n').pop()}`,
  );
}
