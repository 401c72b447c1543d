// /etc/passwd and /etc/group (passwd(5), group(5)), and docker's `--user` looked up in them.

import { badParameter, type ExpectedError } from './errors.ts';
import { splitAt } from './split.ts';

export interface UserIdentity {
  uid: number;
  gid: number;
  /** Groups for setgroups(2). The primary group is among them, or a setgid program could drop it. */
  additionalGids: number[];
  home: string;
}

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

/** Malformed lines are skipped, as by libc. */
export function decodePasswd(text: string): PasswdEntry[] {
  return rows(text, 3).flatMap(([name, , uid, gid, , home]) => {
    const entry = { name: name!, uid: identity(uid), gid: identity(gid), home: home || '/' };
    return entry.uid === undefined || entry.gid === undefined ? [] : [entry as PasswdEntry];
  });
}

export function decodeGroup(text: string): GroupEntry[] {
  return rows(text, 2).flatMap(([name, , gid, members = '']) => {
    const number = identity(gid);
    return number === undefined
      ? []
      : [{ name: name!, gid: number, members: members.split(',').filter(Boolean) }];
  });
}

/**
 * `user` is '', 'name', 'uid', 'name:group' or 'uid:gid'; names come before numbers. A uid without an entry is
 * allowed and belongs to group 0. `groupAdd` consists of names or gids.
 * @throws ExpectedError for a name that is not there, or a number outside 0 to 2147483647
 */
export function lookUpUser(
  user: string,
  options: { passwd: string; group: string; groupAdd?: string[] },
): UserIdentity {
  const [userPart, groupPart = ''] = splitAt(user, ':');
  const groups = decodeGroup(options.group);

  const number = userPart === '' ? 0 : identity(userPart);
  const users = decodePasswd(options.passwd);
  const entry = users.find(each => each.name === userPart) ?? users.find(each => each.uid === number);
  if (!entry && number === undefined) {
    throw notFound('user', userPart, 'passwd');
  }
  const gid = groupPart === '' ? (entry?.gid ?? 0) : findGroup(groupPart, groups);
  const memberOf =
    groupPart === '' && entry
      ? groups.filter(each => each.members.includes(entry.name)).map(each => each.gid)
      : [];
  const added = (options.groupAdd ?? []).map(each => findGroup(each, groups));
  return {
    uid: entry?.uid ?? number!,
    gid,
    additionalGids: [...new Set([gid, ...memberOf, ...added])],
    home: entry?.home ?? '/',
  };
}

function findGroup(wanted: string, groups: GroupEntry[]): number {
  const number = identity(wanted);
  const entry = groups.find(each => each.name === wanted);
  const gid = entry?.gid ?? number;
  if (gid === undefined) throw notFound('group', wanted, 'group');
  return gid;
}

function notFound(kind: string, wanted: string, file: string): ExpectedError {
  return badParameter(
    /^[-+]?\d+$/.test(wanted)
      ? 'uids and gids must be in range 0-2147483647'
      : `unable to find ${kind} ${wanted}: no matching entries in ${file} file`,
  );
}

function rows(text: string, least: number): string[][] {
  return text
    .split('\n')
    .map(line => line.trimEnd().split(':'))
    .filter(row => row.length > least && row[0] !== '' && !row[0]!.startsWith('#'));
}

function identity(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= 0x7fff_ffff ? number : undefined;
}
