// --sysctl: only settings of the container's own namespaces are allowed; any other would change the host.

import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import { lastMappedId } from '../../linux/own-user-namespace.ts';
import { idMappings } from '../state/id-mappings.ts';

/** Settings of the IPC namespace (ipc_namespaces(7)). */
const IPC = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/**
 * The user's settings, and docker's defaults: unprivileged programs may listen on low ports and send pings.
 * @throws badParameter when a setting is not allowed
 */
export function containerSysctls(host: HostConfig): Record<string, string> {
  const ownNetwork = !/^(host|container:)/.test(host.NetworkMode ?? '');
  const ownIpc = !/^(host|container:)/.test(host.IpcMode ?? '');
  const result: Record<string, string> = ownNetwork
    ? {
        'net.ipv4.ip_unprivileged_port_start': '0',
        'net.ipv4.ping_group_range': `0 ${lastGroup(host)}`,
      }
    : {};
  for (const [key, value] of Object.entries(host.Sysctls ?? {})) {
    const name = key.replaceAll('/', '.');
    if (name.startsWith('net.')) {
      if (!ownNetwork) throw notOwn(name, 'network');
    } else if (IPC.has(name) || name.startsWith('fs.mqueue.')) {
      if (!ownIpc) throw notOwn(name, 'ipc');
    } else if (name === 'kernel.domainname' || name === 'kernel.hostname') {
      throw badParameter(`sysctl ${name} is set by --domainname and --hostname`);
    } else {
      throw badParameter(`sysctl ${JSON.stringify(name)} is not in a separate kernel namespace`);
    }
    if (name.split('.').some(part => part === ''))
      throw badParameter(`invalid sysctl: ${JSON.stringify(key)}`);
    result[name] = value;
  }
  return result;
}

/** The last group id that the user namespace has: the kernel accepts no others. */
function lastGroup(host: HostConfig): number {
  const first = idMappings(host)?.gid.find(({ containerID }) => containerID === 0);
  return Math.min(2_147_483_647, first === undefined ? lastMappedId('gid') : first.size - 1);
}

function notOwn(name: string, namespace: string) {
  return badParameter(
    `sysctl ${JSON.stringify(name)} not allowed: the container has no ${namespace} namespace of its own`,
  );
}
