// Which ids of a user namespace are which ids of the machine. user_namespaces(7), newuidmap(1), subuid(5)
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Mistake } from '../04-mounts/mistake.ts';

/** Gives a new user namespace its ids. @param pid a process in it, which waits. @throws Mistake */
export function mapIds(pid: number): void {
  const [uid, gid] = [process.geteuid!(), process.getegid!()];
  const [uids, gids] = [subordinateIds('/etc/subuid', uid), subordinateIds('/etc/subgid', uid)];
  if (uids === undefined || gids === undefined) {
    // Group ids can only be mapped by one who cannot leave a group: a group may also be there to keep somebody out.
    writeFileSync(`/proc/${pid}/setgroups`, 'deny');
    writeFileSync(`/proc/${pid}/uid_map`, `0 ${uid} 1`);
    writeFileSync(`/proc/${pid}/gid_map`, `0 ${gid} 1`);
  } else {
    ask('newuidmap', [pid, 0, uid, 1, 1, ...uids]);
    ask('newgidmap', [pid, 0, gid, 1, 1, ...gids]);
  }
}

/** What root has written down for a user: 'ann:100000:65536'. @returns the first id, and how many there are */
function subordinateIds(file: string, uid: number): [first: number, count: number] | undefined {
  if (!existsSync(file) || spawnSync('newuidmap').error !== undefined) return undefined;
  const { stdout: name } = spawnSync('id', ['-un', `${uid}`], { encoding: 'utf8' });
  const lines = readFileSync(file, 'utf8').split('\n');
  const found = lines.map(line => line.split(':')).find(([who]) => who === name.trim() || who === `${uid}`);
  return found === undefined ? undefined : [Number(found[1]), Number(found[2])];
}

/** A program that runs as root whoever calls it, and looks up what the caller may have. */
function ask(helper: string, args: readonly number[]): void {
  const { status, stderr } = spawnSync(helper, args.map(String), { encoding: 'utf8' });
  if (status !== 0) throw new Mistake(`${helper} ${args.join(' ')}: ${stderr.trim()}`);
}
