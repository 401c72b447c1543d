// Where a cable of another program leads: its other end is on the host itself, or in a network namespace in which some
// process is.

import { readlinkSync } from 'node:fs';
import type { ForeignEnd } from '../formats/network-map.ts';
import { quietly } from '../formats/quietly.ts';
import { decodeLink, type Link, listLinks } from '../linux/netlink/links.ts';
import { decodeNamespaceNumber, namespaceNumberOf } from '../linux/netlink/namespaces.ts';
import { openNetlinkIn } from '../linux/netlink/netlink-in.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { readQuietly } from '../linux/proc/file.ts';
import { allPids } from '../linux/proc/pids.ts';

/** undefined when no process is there, or it has just ended. @param cable an end on this host */
export function foreignEnd(host: NetlinkSocket, links: readonly Link[], cable: Link): ForeignEnd | undefined {
  // Each end knows the index of the other one, in the other one's namespace.
  const isOther = (link: Link): boolean =>
    link.kind === 'veth' && link.index === cable.peer && link.peer === cable.index;
  const { peerNamespace } = cable;
  if (peerNamespace === undefined) {
    const local = links.find(isOther);
    return local && { link: local.name };
  }
  const pid = oneInEach().find(each => {
    const number = quietly(() => host.get(namespaceNumberOf(each), decodeNamespaceNumber));
    return number === peerNamespace;
  });
  if (pid === undefined) return undefined;
  const found = linksOf(pid).find(isOther);
  return found && { link: found.name, process: { pid, name: nameOf(pid) } };
}

/** A process of each network namespace but our own. */
function oneInEach(): number[] {
  const seen = new Map<string, number>();
  for (const pid of allPids()) {
    const namespace = quietly(() => readlinkSync(`/proc/${pid}/ns/net`));
    if (namespace !== undefined && !seen.has(namespace)) seen.set(namespace, pid);
  }
  seen.delete(readlinkSync('/proc/self/ns/net'));
  return [...seen.values()];
}

function linksOf(pid: number): Link[] {
  using inside = quietly(() => openNetlinkIn(pid));
  return inside?.dump(listLinks(), decodeLink) ?? [];
}

const nameOf = (pid: number): string => readQuietly(`/proc/${pid}/comm`)?.trim() ?? '';
