// The values of --chown and --chmod. Names are looked up in the image's own /etc/passwd and /etc/group.
import { decodeGroup, decodePasswd } from '../formats/user-database.ts';
import { readTextInRoot } from '../linux/plain-file.ts';
import { BuildError } from './errors.ts';

/**
 * 'user' or 'user:group', by name or number; a user alone is the group too.
 * @throws BuildError when one is unknown
 */
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

/** Decodes octal digits. @throws BuildError when the text is not octal */
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
