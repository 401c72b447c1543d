// What a client is told of settings that do less than they say.

import type { ContainerResources, HostConfig } from '../../formats/engine-api/containers.ts';
import type { HostFacts } from '../core/host-facts.ts';
import { logWarnings } from './log-options.ts';

/** @param asked what the client sent: `host` lacks what this machine cannot do */
export function hostWarnings(host: HostConfig, facts: HostFacts, asked: HostConfig): string[] {
  const found = weightWarnings(asked, facts);
  if ((host.Memory ?? 0) > 0 && !facts.swapLimit) {
    found.push(
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    );
  }
  if (host.OomKillDisable && !host.Memory) {
    found.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  }
  found.push(...logWarnings(asked));
  if (host.NetworkMode === 'host' && Object.keys(host.PortBindings ?? {}).length > 0)
    found.push('Published ports are discarded when using host network mode');
  return found;
}

export function weightWarnings(
  { BlkioWeight, BlkioWeightDevice }: ContainerResources,
  { blkioWeight }: HostFacts,
): string[] {
  if (blkioWeight) return [];
  const discarded = (what: string) =>
    `Your kernel does not support Block I/O ${what} or the cgroup is not mounted. Weight${what === 'weight' ? '' : '-device'} discarded.`;
  return [
    ...(BlkioWeight ? [discarded('weight')] : []),
    ...(BlkioWeightDevice?.length ? [discarded('weight_device')] : []),
  ];
}
