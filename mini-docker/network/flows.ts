// UDP knows no connections, but NAT remembers them: who sends to a published port goes on being sent where the first
// packet went, also when that container has gone, or, from before it was published, nowhere.
import { decodeFlow, deleteFlow, type Flow, listFlows } from '../linux/netlink/conntrack.ts';
import { NETLINK } from '../linux/netlink/constants.ts';
import { NetlinkError } from '../linux/netlink/netlink-error.ts';
import { openNetlink } from '../linux/netlink/socket.ts';
import { SyscallError } from '../linux/syscall-error.ts';
import type { PublishedPort } from './rules.ts';

/** <netinet/in.h> */
const IPPROTO_UDP = 17;

/** Makes everybody who sends to these ports be looked at anew. Call when they were published or are no more. */
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
    // A kernel without conntrack's netlink remembers for three minutes at most; a port is published all the same.
    if (!(error instanceof NetlinkError || error instanceof SyscallError)) throw error;
  }
}

/** Flows that the host masquerades for others are not ours to disturb. */
function isUntranslated({ original, reply }: Flow): boolean {
  return reply.source === original.destination && reply.destination === original.source;
}
