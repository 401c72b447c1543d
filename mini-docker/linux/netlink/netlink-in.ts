// A netlink socket in another network namespace, which it stays in.
import { Descriptor } from '../descriptor.ts';
import { inNetworkNamespace, openNetworkNamespace } from '../network-namespace.ts';
import { type NetlinkSocket, openNetlink } from './socket.ts';

/**
 * In the network namespace of a process.
 * @param open opens the namespace; by default with ENOENT when the process has ended
 */
export function openNetlinkIn(pid: number, open = () => openNetworkNamespace({ pid })): NetlinkSocket {
  using namespace = new Descriptor(open());
  return inNetworkNamespace(namespace.number, () => openNetlink());
}
