// UDP has no connections, but NAT remembers flows: a client's packets to a published port keep going to the
// first one's destination, even after that container has gone, or nowhere if the port was published later.
import { decodeFlow, deleteFlow, type Flow, listFlows } from '../linux/netlink/conntrack.ts';
import { NETLINK } from '../linux/netlink/constants.ts';
import { NetlinkError } from '../linux/netlink/netlink-error.ts';
import { openNetlink } from '../linux/netlink/socket.ts';
import { SyscallError } from '../linux/syscall-error.ts';
import type { PublishedPort } from './rules.ts';

/** <netinet/in.h> */
const IPPROTO_UDP = 17;

/** Forgets the flows to these ports. Call it after publishing them, and after withdrawing them. */
export function forgetFlows(ports: readonly PublishedPort[]): void {
  const udp = ports.filter(port => port.protocol === 'udp');
  if (udp.length === 0) return;
  try {
    using netfilter = openNetlink(NETLINK.NETFILTER);
    for (const { hostIp, hostPort, containerIp } of udp) {
      const family = hostIp.includes(':') ? 6 : 4;
      const wanted = { protocol: IPPROTO_UDP, port: hostPort, family } as const;
      const stale = netfilter
        .dump(listFlows(wanted), decodeFlow)
        .filter(({ original }) => original.protocol === IPPROTO_UDP && original.destinationPort === hostPort)
        .filter(flow => flow.reply.source === containerIp || isUntranslated(flow));
      netfilter.batch(stale.map(deleteFlow), { mayFail: ['ENOENT'] });
    }
  } catch (error) {
    // A kernel without conntrack's netlink forgets within three minutes; the port is published anyway.
    if (!(error instanceof NetlinkError || error instanceof SyscallError)) throw error;
  }
}

/** Whether it is untranslated: flows that the host masquerades for others must stay. */
function isUntranslated({ original, reply }: Flow): boolean {
  return reply.source === original.destination && reply.destination === original.source;
}
