// Sets the program's limits, groups, user and capabilities. Privileges go last, in an order in which giving
// up one never needs another that is already gone.
import type { Capabilities, Process } from '../formats/oci/runtime-spec.ts';
import { CAP, PR, PR_CAP_AMBIENT, RLIMIT } from '../linux/constants.ts';
import { isSetgroupsDenied } from '../linux/own-user-namespace.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail } from '../linux/step.ts';
import { capset, fchown, prctl, prlimit, setgroups, setresgid, setresuid } from '../linux/syscalls.ts';

/** <linux/capability.h> */
const CAPABILITY_VERSION_3 = 0x2008_0522;
const UNLIMITED = 0xffff_ffff_ffff_ffffn;

export function limits(process: Process): Item[] {
  return (process.rlimits ?? []).map(({ type, soft, hard }) => {
    const resource = RLIMIT[type.replace(/^RLIMIT_/, '') as keyof typeof RLIMIT];
    if (resource === undefined)
      throw new TypeError(`unknown limit ${type}: the kernel has ${Object.keys(RLIMIT).join(', ')}`);
    const values = new Uint8Array(new BigUint64Array([limit(soft), limit(hard)]).buffer);
    return because(
      `--ulimit ${type.replace(/^RLIMIT_/, '').toLowerCase()}=${soft}:${hard}`,
      prlimit(0, resource, values, null),
    );
  });
}

function limit(value: number): bigint {
  return value < 0 ? UNLIMITED : BigInt(value);
}

/**
 * A program that is not root can reopen /dev/stdout only if it owns the pipe.
 * @param pipes the streams that are pipes; any other is a /dev/null, which any user may open
 */
export function ownStreams(process: Process, pipes: readonly number[]): Item[] {
  const { uid, gid } = process.user;
  if (uid === 0) return [];
  const terminal = process.terminal === true;
  const streams = terminal ? [0, 1, 2] : pipes;
  return streams.map(fd => mayFail(fchown(fd, uid, terminal ? -1 : gid)));
}

/**
 * Sets user, groups and capabilities, in the order that works.
 * @param options.lastCapability the highest capability number of this kernel
 * @param options.keepGroups whether setgroups(2) is denied, as in an ordinary user's own user namespace
 * @param options.loadsFilter whether a seccomp filter is loaded later, right before execve
 */
export function rights(
  process: Process,
  options: { lastCapability: number; loadsFilter: boolean; keepGroups?: boolean },
): Item[][] {
  const { keepGroups = false } = options;
  const { capabilities, noNewPrivileges: isBarred = false } = process;
  const keep = options.loadsFilter && !isBarred ? ['CAP_SYS_ADMIN'] : [];
  if (capabilities === undefined && (process.user.uid === 0 || keep.length === 0)) {
    return [becomeUser(process, keepGroups), noNewPrivileges(process)];
  }
  return [
    capabilities === undefined ? [] : boundCapabilities(capabilities, options.lastCapability),
    [because('setuid would clear them; they are set below', prctl(PR.SET_KEEPCAPS, 1, 0, 0, 0))],
    becomeUser(process, keepGroups),
    setCapabilities(capabilities ?? NONE, keep),
    noNewPrivileges(process),
  ];
}

const NONE: Capabilities = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };

function becomeUser(process: Process, keepGroups: boolean): Item[] {
  const { uid, gid, additionalGids = [] } = process.user;
  const groups = new Uint8Array(new Uint32Array(additionalGids).buffer);
  const own = because(
    "the groups of the daemon are not the container's",
    setgroups(additionalGids.length, groups),
  );
  const isDenied = isSetgroupsDenied() || (keepGroups && additionalGids.length === 0);
  return [...(isDenied ? [] : [own]), setresgid(gid, gid, gid), setresuid(uid, uid, uid)];
}

function boundCapabilities(capabilities: Capabilities, lastCapability: number): Item[] {
  const kept = numbers(capabilities.bounding);
  const items: Item[] = [];
  for (const [name, number] of Object.entries(CAP)) {
    if (number > lastCapability || kept.has(number)) continue;
    items.push(
      because(`no program below may ever have CAP_${name}`, prctl(PR.CAPBSET_DROP, number, 0, 0, 0)),
    );
  }
  return items;
}

/**
 * @param keep a capability to keep until execve, which gives root the bounding set, and other users only the
 * ambient capabilities, whatever the process had before (capabilities(7), "Transformation of capabilities
 * during execve")
 */
function setCapabilities(capabilities: Capabilities, keep: readonly string[]): Item[] {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION_3);
  const data = Buffer.alloc(24);
  const sets = [
    [...capabilities.effective, ...keep],
    [...capabilities.permitted, ...keep],
    capabilities.inheritable,
  ];
  sets.forEach((names, index) => {
    for (const number of numbers(names)) {
      const at = Math.floor(number / 32) * 12 + index * 4;
      data.writeUInt32LE((data.readUInt32LE(at) | (1 << (number % 32))) >>> 0, at);
    }
  });
  const count = capabilities.permitted.length;
  return [
    because(
      keep.length === 0
        ? `${count} capabilities stay`
        : `${count} capabilities stay; execve clears CAP_SYS_ADMIN, which the filter takes`,
      capset(header, data),
    ),
    mayFail(prctl(PR.CAP_AMBIENT, PR_CAP_AMBIENT.CLEAR_ALL, 0, 0, 0)),
    ...[...numbers(capabilities.ambient)].map(number =>
      prctl(PR.CAP_AMBIENT, PR_CAP_AMBIENT.RAISE, number, 0, 0),
    ),
  ];
}

function numbers(names: readonly string[]): Set<number> {
  return new Set(
    names.map(name => {
      const number = CAP[name.replace(/^CAP_/, '') as keyof typeof CAP];
      if (number === undefined) throw new TypeError(`unknown capability ${name}`);
      return number;
    }),
  );
}

function noNewPrivileges(process: Process): Item[] {
  if (process.noNewPrivileges !== true) return [];
  return [because('no set-uid program gives more than this', prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0))];
}
