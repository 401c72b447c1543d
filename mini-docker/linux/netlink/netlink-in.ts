// A netlink socket in another network namespace, which it stays in.
import { closeSync } from 'node:fs';
import { inNetworkNamespace, openNetworkNamespace } from '../network-namespace.ts';
import { type NetlinkSocket, openNetlink } from './socket.ts';

/**
 * In the network namespace of a process.
 * @param open opens the namespace; by default with ENOENT when the process has ended
 */
export function openNetlinkIn(pid: number, open = () => openNetworkNamespace({ pid })): NetlinkSocket {
  const namespace = open();
  try {
    return inNetworkNamespace(namespace, () => openNetlink());
  } finally {
    closeSync(namespace);
  }
}
