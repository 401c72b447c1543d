// Programs expect HOME: it is looked up among the container's users.
import { closeSync, constants, openSync } from 'node:fs';
import type { Process } from '../formats/oci/runtime-spec.ts';
import { decodePasswd } from '../formats/user-database.ts';
import { readTextInRoot } from '../linux/plain-file.ts';

/** @param root a directory of the host in which the container's /etc lies */
export function withHome(process: Process, root: string): Process {
  const { env, user } = process;
  if (env.some(entry => entry.startsWith('HOME='))) return process;
  return { ...process, env: [...env, `HOME=${homeOf(user.uid, root)}`] };
}

function homeOf(uid: number, root: string): string {
  const directory = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return (
      decodePasswd(readTextInRoot(directory, 'etc/passwd')).find(entry => entry.uid === uid)?.home || '/'
    );
  } finally {
    closeSync(directory);
  }
}
