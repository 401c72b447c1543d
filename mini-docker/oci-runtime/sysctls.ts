// Which kernel parameters a container may set: those that belong to a namespace of its own. Any other would
// change the host.
import { FormatError } from '../formats/errors.ts';
import type { NamespaceType, Spec } from '../formats/oci/runtime-spec.ts';

/** sysctl(7), ipc_namespaces(7) */
const OF_IPC = /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\..+)$/;

/** @throws FormatError when one is not in a namespace of the container */
export function checkSysctls({ hostname, linux }: Spec): void {
  const has = (type: NamespaceType): boolean => linux.namespaces.some(each => each.type === type);
  for (const given of Object.keys(linux.sysctl ?? {})) {
    const name = given.replaceAll('/', '.');
    const refuse = (why: string): never => {
      throw new FormatError(`sysctl "${given}" ${why}`);
    };
    if (OF_IPC.test(name)) {
      if (!has('ipc')) refuse('is not allowed in the hosts ipc namespace');
    } else if (name.startsWith('net.')) {
      if (!has('network')) refuse('not allowed in host network namespace');
    } else if (name === 'kernel.hostname' || name === 'kernel.domainname') {
      if (!has('uts')) refuse('is not allowed in the hosts UTS namespace');
      if (name === 'kernel.hostname' && hostname) refuse('conflicts with the field hostname');
    } else if (!/^user\..+/.test(name) || !has('user')) refuse('is not in a separate kernel namespace');
  }
}
