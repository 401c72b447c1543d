// The identity of a process: uid_map and gid_map, groups, capabilities, names. user_namespaces(7),
// credentials(7)

import { CAP, PR, PR_CAP_AMBIENT } from '../constants.ts';
import { readQuietly } from '../proc/file.ts';
import { readStatus } from '../proc/status.ts';
import { type Explanation, type Failed, type Hint, hint, seen } from './hint.ts';
import { capabilityName, capable, fdPath, inUserNamespace, ownsNamespace } from './probes.ts';

/** A write to /proc/PID/uid_map, gid_map or setgroups. */
function mapWrite(
  explain: (file: { pid: string; name: string }, text: string, failed: Failed) => Explanation,
) {
  return (failed: Failed): Explanation => {
    const [, pid, name] = /^\/proc\/(\d+|self)\/(uid_map|gid_map|setgroups)$/.exec(fdPath(failed, 0)) ?? [];
    return pid && name ? explain({ pid, name }, failed.text(1), failed) : undefined;
  };
}

export const identityHints: readonly Hint[] = [
  hint(
    ['write', 'pwrite64'],
    'EPERM',
    mapWrite(({ pid, name }) =>
      name !== 'setgroups' && readQuietly(`/proc/${pid}/${name}`)?.trim()
        ? `${name} can be written once, and it has been: all lines have to go into one write`
        : undefined,
    ),
  ),
  hint(
    ['write', 'pwrite64'],
    'EPERM',
    mapWrite(({ pid, name }, _, failed) =>
      name === 'gid_map' &&
      readQuietly(`/proc/${pid}/setgroups`)?.trim() !== 'deny' &&
      !capable(failed, CAP.SETGID)
        ? `without CAP_SETGID outside of the user namespace, "deny" has to be written to /proc/${pid}/setgroups first`
        : undefined,
    ),
  ),
  hint(
    ['write', 'pwrite64'],
    'EPERM',
    mapWrite(({ pid, name }) =>
      name === 'setgroups' && readQuietly(`/proc/${pid}/gid_map`)?.trim()
        ? 'setgroups has to be written before gid_map is'
        : undefined,
    ),
  ),
  hint(
    ['write', 'pwrite64'],
    'EPERM',
    mapWrite(({ name }, text) => {
      const lines = text.split('\n').filter(Boolean);
      const id = name === 'uid_map' ? process.geteuid?.() : process.getegid?.();
      const own =
        lines.length === 1 && Number(lines[0]!.trim().split(/\s+/)[1]) === id && /\s1\s*$/.test(lines[0]!);
      return own || name === 'setgroups'
        ? undefined
        : `without CAP_SET${name === 'uid_map' ? 'UID' : 'GID'} outside of the user namespace only one's own id can be mapped ("0 ${id} 1"): more takes newuidmap(1) and /etc/subuid`;
    }),
  ),
  hint(
    ['write', 'pwrite64'],
    'EINVAL',
    mapWrite(({ name }) =>
      name === 'setgroups'
        ? 'it takes "allow" or "deny"'
        : `${name} takes at most 340 lines of "first-id-inside first-id-outside count" whose ranges do not overlap, in one write at position 0`,
    ),
  ),
  seen(['setgroups'], 'EPERM', failed => {
    if (!inUserNamespace(failed)) return undefined;
    if (readQuietly(`/proc/${failed.pid}/setgroups`)?.trim() === 'deny') {
      return 'this user namespace was made with setgroups denied (/proc/self/setgroups), as it must be without CAP_SETGID outside: leave the groups as they are';
    }
    return readQuietly(`/proc/${failed.pid}/gid_map`)?.trim() === ''
      ? 'groups can be set only after the gid_map of the user namespace is written'
      : undefined;
  }),
  seen(
    ['setuid', 'setresuid', 'setgid', 'setresgid', 'setgroups', 'fchown', 'fchownat'],
    'EINVAL',
    failed => {
      if (!inUserNamespace(failed)) return undefined;
      const map = /gid|group/.test(failed.call) ? 'gid_map' : 'uid_map';
      const ranges = (readQuietly(`/proc/${failed.pid}/${map}`) ?? '')
        .trim()
        .split('\n')
        .map(line => line.trim().split(/\s+/));
      const known = ranges
        .map(([inside, , count]) => `${inside} to ${Number(inside) + Number(count) - 1}`)
        .join(', ');
      return `the id has no meaning in this user namespace, whose ids are ${known} (/proc/self/${map})`;
    },
  ),
  hint(['setuid', 'setresuid', 'setgid', 'setresgid', 'setgroups', 'chroot'], 'EPERM', failed => {
    const needed = {
      setuid: CAP.SETUID,
      setresuid: CAP.SETUID,
      setgid: CAP.SETGID,
      setresgid: CAP.SETGID,
      setgroups: CAP.SETGID,
      chroot: CAP.SYS_CHROOT,
    }[failed.call];
    if (failed.seen && needed !== undefined && !capable(failed, needed))
      return `it takes ${capabilityName(needed)}, which this process does not have (any more)`;
  }),
  seen(['capset'], 'EPERM', failed => {
    // { effective, permitted, inheritable } twice, each of 32 bits.
    const words = Buffer.from(failed.bytes(1));
    const set = (at: number): bigint =>
      BigInt(words.readUInt32LE(at)) | (BigInt(words.readUInt32LE(at + 12)) << 32n);
    const now = readStatus(failed.pid)!.capabilities;
    const wrong = [
      missing(set(4) & ~now.permitted, 'cannot be permitted again after they were given up'),
      missing(set(0) & ~set(4), 'cannot be effective without being permitted'),
      missing(
        set(8) & ~(now.inheritable | now.permitted | now.bounding),
        'cannot be inheritable: they are outside of the bounding set',
      ),
    ];
    return wrong.find(text => text !== undefined);
  }),
  seen(['prctl'], 'EPERM', failed => {
    if (failed.number(0) === PR.CAPBSET_DROP)
      return `it takes CAP_SETPCAP, which this process does not have (any more)`;
    if (failed.number(0) !== PR.CAP_AMBIENT || failed.number(1) !== PR_CAP_AMBIENT.RAISE) return undefined;
    return `${capabilityName(failed.number(2))} has to be permitted and inheritable (capset) before it can be ambient`;
  }),
  seen(['sethostname', 'setdomainname'], 'EPERM', failed => {
    if (!capable(failed, CAP.SYS_ADMIN))
      return 'it takes CAP_SYS_ADMIN: run as root, or in a user and a uts namespace of its own';
    return ownsNamespace(failed, 'uts')
      ? undefined
      : 'the uts namespace belongs to another user namespace: take one of its own as well (CLONE_NEWUTS)';
  }),
  hint(['sethostname', 'setdomainname'], 'EINVAL', failed => {
    const length = Buffer.byteLength(failed.text(0));
    return length > 64 ? `the name is ${length} bytes long, and may have 64` : undefined;
  }),
];

function missing(bits: bigint, why: string): string | undefined {
  const names: string[] = [];
  for (let bit = 0; bit < 64; bit++) if ((bits >> BigInt(bit)) & 1n) names.push(capabilityName(bit));
  if (names.length === 0) return undefined;
  return `${names.slice(0, 4).join(', ')}${names.length > 4 ? `, … (${names.length})` : ''} ${why}`;
}
