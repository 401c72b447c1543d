// The ids of a user namespace, mapped to ids of the machine. user_namespaces(7), newuidmap(1), subuid(5)
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Mistake } from '../04-mounts/mistake.ts';

/** Maps the ids of a new user namespace. @param pid a process in it, which waits for that. @throws Mistake */
export function mapIds(pid: number): void {
  const [uid, gid] = [process.geteuid!(), process.getegid!()];
  const [uids, gids] = [subordinateIds('/etc/subuid', uid), subordinateIds('/etc/subgid', uid)];
  if (uids === undefined || gids === undefined) {
    // The kernel demands this first: with setgroups a user could leave a group that is there to keep its members out.
    writeFileSync(`/proc/${pid}/setgroups`, 'deny');
    writeFileSync(`/proc/${pid}/uid_map`, `0 ${uid} 1`);
    writeFileSync(`/proc/${pid}/gid_map`, `0 ${gid} 1`);
  } else {
    ask('newuidmap', [pid, 0, uid, 1, 1, ...uids]);
    ask('newgidmap', [pid, 0, gid, 1, 1, ...gids]);
  }
}

/** The range that root has reserved for a user: 'ann:100000:65536'. @returns the first id, and their number */
function subordinateIds(file: string, uid: number): [first: number, count: number] | undefined {
  if (!existsSync(file) || spawnSync('newuidmap').error !== undefined) return undefined;
  const { stdout, status } = spawnSync('id', ['-un', `${uid}`], { encoding: 'utf8' });
  // newuidmap serves only users that have a name.
  if (status !== 0) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  const found = lines.map(line => line.split(':')).find(([who]) => who === stdout.trim() || who === `${uid}`);
  return found === undefined ? undefined : [Number(found[1]), Number(found[2])];
}

/** Runs newuidmap or newgidmap: setuid programs, which check that the caller may use these ids. */
function ask(helper: string, args: readonly number[]): void {
  const { status, stderr } = spawnSync(helper, args.map(String), { encoding: 'utf8' });
  if (status !== 0) throw new Mistake(`${helper} ${args.join(' ')}: ${stderr.trim()}`);
}
