// lxcfs (https://linuxcontainers.org/lxcfs/): a file system on the host whose files look like those of /proc and tell the
// limits of the reader's control group. Programs that size themselves by /proc/meminfo then see the container's memory.

import { statfsSync } from 'node:fs';
import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import type { Mount } from '../../formats/oci/runtime-spec.ts';
import { quietly } from '../../formats/quietly.ts';

const ANNOTATION = 'mini-docker.lxcfs';
/** Where Debian's service has it. */
const PLACE = '/var/lib/lxcfs';
const FUSE_SUPER_MAGIC = 0x65735546;

/** The only files below /proc that may be replaced (runtime/mounts.ts). */
const FILES = [
  ...['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'stat', 'swaps', 'uptime'].map(name => `/proc/${name}`),
  '/sys/devices/system/cpu/online',
];

export const wantsLxcfs = ({ Annotations }: HostConfig): boolean => Annotations?.[ANNOTATION] === 'true';

/** @throws badParameter when lxcfs does not run */
export function lxcfsMounts(): Mount[] {
  if (!isMounted()) {
    throw badParameter(
      `lxcfs was asked for, and does not run: install it (apt-get install lxcfs), and start it (systemctl start lxcfs, or lxcfs ${PLACE})`,
    );
  }
  return FILES.map(path => ({
    destination: path,
    type: 'bind',
    source: PLACE + path,
    options: ['bind', 'ro', 'rprivate', 'nosuid', 'nodev', 'noexec'],
  }));
}

function isMounted(): boolean {
  return quietly(() => statfsSync(PLACE).type === FUSE_SUPER_MAGIC) ?? false;
}

/** With the daemon's own setting, for a container that says nothing. */
export function withLxcfs(host: HostConfig, byDefault: boolean): HostConfig {
  if (!byDefault || host.Annotations?.[ANNOTATION] !== undefined) return { ...host };
  return { ...host, Annotations: { ...host.Annotations, [ANNOTATION]: 'true' } };
}
