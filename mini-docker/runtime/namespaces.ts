// The namespaces of a container. New ones are made by clone(2), or by unshare(2) where clone cannot; existing
// ones are joined by a path such as /proc/PID/ns/NAME.
import type { Linux, NamespaceType } from '../formats/oci/runtime-spec.ts';
import { AF, AT, CLONE, IOCTL, O, SOCK } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, resultOf } from '../linux/step.ts';
import { close, ioctlBuffer, openat, setns, socket, unshare, writeText } from '../linux/syscalls.ts';

export const NAMESPACE_FLAG: Record<NamespaceType, number> = {
  user: CLONE.NEWUSER,
  pid: CLONE.NEWPID,
  mount: CLONE.NEWNS,
  ipc: CLONE.NEWIPC,
  uts: CLONE.NEWUTS,
  network: CLONE.NEWNET,
  cgroup: CLONE.NEWCGROUP,
  time: CLONE.NEWTIME,
};

/**
 * Flags for the namespaces in which the container's first process is created. A cgroup namespace is made
 * later, since its root is the process's cgroup at that time, and the process has to join its cgroup first; a
 * time namespace takes only children.
 */
export function cloneFlags(linux: Linux): number {
  return linux.namespaces
    .filter(({ type, path }) => path === undefined && type !== 'cgroup' && type !== 'time')
    .reduce((flags, { type }) => flags | NAMESPACE_FLAG[type], 0);
}

export function isNew(linux: Linux, type: NamespaceType): boolean {
  return linux.namespaces.some(namespace => namespace.type === type && namespace.path === undefined);
}

function join(type: NamespaceType, path: string): Item[] {
  const fd = openat(AT.FDCWD, path, O.RDONLY | O.CLOEXEC, 0);
  return [
    fd,
    because(`the ${type} namespace of another`, setns(resultOf(fd), NAMESPACE_FLAG[type])),
    close(resultOf(fd)),
  ];
}

/**
 * Steps of the parent before it clones, since only children enter a joined pid namespace or a new time
 * namespace.
 */
export function beforeClone(linux: Linux): Item[] {
  const items: Item[] = [];
  for (const { type, path } of linux.namespaces) {
    if (path !== undefined && (type === 'pid' || type === 'time')) items.push(...join(type, path));
  }
  if (isNew(linux, 'time')) {
    items.push(because('the children will have clocks of their own', unshare(CLONE.NEWTIME)));
    for (const [clock, { secs, nanosecs }] of Object.entries(linux.timeOffsets ?? {})) {
      const offsets = openat(AT.FDCWD, '/proc/self/timens_offsets', O.WRONLY | O.CLOEXEC, 0);
      items.push(
        offsets,
        writeText(resultOf(offsets), `${clock} ${secs} ${nanosecs}`),
        close(resultOf(offsets)),
      );
    }
  }
  return items;
}

/**
 * Namespaces that the container's process joins itself. The user namespace comes first, since it gives the
 * right to join those that it owns.
 */
export function joinNamespaces(linux: Linux): Item[] {
  const joined = linux.namespaces.filter(
    ({ type, path }) => path !== undefined && type !== 'pid' && type !== 'time',
  );
  joined.sort((a, b) => Number(b.type === 'user') - Number(a.type === 'user'));
  return joined.flatMap(({ type, path }) => join(type, path!));
}

/** <linux/if.h> */
const IFF_UP = 1;

/** Steps in a new network namespace. */
export function loopbackUp(): Item[] {
  // struct ifreq: the name in 16 bytes, and the flags. netdevice(7)
  const request = Buffer.alloc(40);
  request.write('lo');
  request.writeUInt16LE(IFF_UP, 16);
  const opened = socket(AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0);
  return [
    opened,
    because(
      'the loopback link is down in a new network',
      ioctlBuffer(resultOf(opened), IOCTL.SIOCSIFFLAGS, request),
    ),
    close(resultOf(opened)),
  ];
}

/** Steps for the time after the process has joined its cgroup. */
export function newCgroupNamespace(linux: Linux): Item[] {
  if (!isNew(linux, 'cgroup')) return [];
  return [because('/proc/self/cgroup shows / from here on', unshare(CLONE.NEWCGROUP))];
}
