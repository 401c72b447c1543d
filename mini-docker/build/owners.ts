// --chown and --chmod. Names are the image's, looked up in its own /etc/passwd and /etc/group.
import { decodeGroup, decodePasswd } from '../formats/user-database.ts';
import { readTextInRoot } from '../linux/plain-file.ts';
import { BuildError } from './errors.ts';

/** 'user', 'user:group', numbers in place of names; a user alone is also the group's name or number. Throws BuildError. */
export function ownerOf(chown: string, root: number): { uid: number; gid: number } {
  const [user = '', group = user, ...rest] = chown.split(':');
  if (user === '' || group === '' || rest.length > 0)
    throw new BuildError(`invalid --chown: ${JSON.stringify(chown)}`);
  return {
    uid:
      number(user) ??
      found(
        'uid for user',
        user,
        decodePasswd(readTextInRoot(root, '/etc/passwd')).find(each => each.name === user)?.uid,
      ),
    gid:
      number(group) ??
      found(
        'gid for group',
        group,
        decodeGroup(readTextInRoot(root, '/etc/group')).find(each => each.name === group)?.gid,
      ),
  };
}

/** Octal digits. Throws BuildError. */
export function modeOf(chmod: string): number {
  if (!/^[0-7]{3,5}$/.test(chmod) || Number.parseInt(chmod, 8) > 0o7777) {
    throw new BuildError(`invalid --chmod: ${JSON.stringify(chmod)} (it is an octal number, as 0755)`);
  }
  return Number.parseInt(chmod, 8);
}

const number = (text: string): number | undefined =>
  /^\d{1,10}$/.test(text) && Number(text) <= 0x7fff_ffff ? Number(text) : undefined;

function found(what: string, name: string, id: number | undefined): number {
  if (id !== undefined) return id;
  throw new BuildError(
    `unable to convert uid/gid chown string to host mapping: can't find ${what} ${name}: it is not in the image`,
  );
}
