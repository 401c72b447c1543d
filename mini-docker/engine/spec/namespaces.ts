// The namespaces of a container: its own, shared with another container, or the host's, which are not in the list.

import type { Linux, NamespaceType } from '../../formats/oci/runtime-spec.ts';
import { idMappings } from '../state/id-mappings.ts';
import type { ContainerRecord } from '../state/record.ts';

/** Processes whose namespaces are joined rather than created (`--pid container:NAME` and the like). */
export type Joined = Partial<Record<NamespaceType, number>>;

export function namespacesOf({ hostConfig }: ContainerRecord, joined: Joined): Linux['namespaces'] {
  const modes: [NamespaceType, string | undefined][] = [
    ['mount', ''],
    ['network', hostConfig.NetworkMode],
    ['uts', hostConfig.UTSMode],
    ['pid', hostConfig.PidMode],
    ['ipc', hostConfig.IpcMode],
    ['cgroup', hostConfig.CgroupnsMode],
  ];
  const user: Linux['namespaces'] = idMappings(hostConfig) === undefined ? [] : [{ type: 'user' }];
  const others = modes.flatMap(([type, mode = '']): Linux['namespaces'] => {
    if (mode === 'host') return [];
    const pid = joined[type];
    if (pid === undefined) {
      if (!mode.startsWith('container:')) return [{ type }];
      throw new Error(`the container to share the ${type} namespace with was not looked up`);
    }
    return [{ type, path: `/proc/${pid}/ns/${type === 'network' ? 'net' : type}` }];
  });
  return [...user, ...others];
}
