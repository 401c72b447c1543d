// POST /containers/ID/update: changes limits and the restart policy.

import type { ContainerResources, ContainerUpdateBody } from '../../formats/engine-api/containers.ts';
import { badParameter, ExpectedError, internal } from '../../formats/errors.ts';
import { checkRestartPolicy } from '../spec/check-config.ts';
import { checkResources } from '../spec/check-resources.ts';
import { weightWarnings } from '../spec/host-warnings.ts';
import { limitsOf } from '../spec/resources.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';

/** The limits that a running container's cgroup can change; devices and ulimits are fixed. */
const UPDATABLE = [
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpuShares',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemoryReservation',
  'MemorySwap',
  'NanoCpus',
  'PidsLimit',
] as const satisfies readonly (keyof ContainerResources)[];

/** All or nothing: if the kernel refuses a limit, the record stays unchanged. */
export async function updateContainer(
  context: EngineContext,
  live: LiveContainer,
  body: ContainerUpdateBody,
): Promise<{ Warnings: string[] }> {
  using _held = await live.hold();
  if (live.removing) {
    throw new ExpectedError(
      'conflict',
      `container ${live.name} is marked for removal and cannot be "update"`,
    );
  }
  const { record } = live;
  const conflict = (why: string) => badParameter(`Cannot update container ${live.id}: ${why}`);
  const warnings = weightWarnings(body, context.facts);
  const changes = Object.fromEntries(
    UPDATABLE.flatMap(key => (body[key] ? [[key, body[key]]] : [])),
  ) as ContainerResources;
  if (!context.facts.blkioWeight) delete changes.BlkioWeight;
  const host = { ...record.hostConfig, ...changes };
  // --cpus and the quota set the same limit: one does not silently replace the other.
  for (const [asked, name, set, setName] of [
    ['CpuQuota', 'CPU Quota', 'NanoCpus', 'NanoCPUs'],
    ['CpuPeriod', 'CPU Period', 'NanoCpus', 'NanoCPUs'],
    ['NanoCpus', 'Nano CPUs', 'CpuQuota', 'CPU Quota'],
    ['NanoCpus', 'Nano CPUs', 'CpuPeriod', 'CPU Period'],
  ] as const) {
    if (changes[asked] && record.hostConfig[set])
      throw conflict(`Conflicting options: ${name} cannot be updated as ${setName} has already been set`);
  }
  if (body.RestartPolicy?.Name) {
    checkRestartPolicy(body.RestartPolicy);
    if (host.AutoRemove && body.RestartPolicy.Name !== 'no') {
      throw badParameter('Restart policy cannot be updated because AutoRemove is enabled for the container');
    }
    host.RestartPolicy = body.RestartPolicy;
  }
  if (
    changes.Memory &&
    !changes.MemorySwap &&
    // Also where there is none (0), or it is unlimited (-1).
    (host.MemorySwap ?? 0) < changes.Memory
  ) {
    throw conflict(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
  checkResources(host, context.facts);
  try {
    if (Object.keys(changes).length > 0) await live.run?.container.update(limitsOf(host));
  } catch (cause) {
    throw internal(`Cannot update container ${live.id}: ${(cause as Error).message}`, {
      cause,
    });
  }
  record.hostConfig = host;
  context.records.save(record);
  containerEvent(context, live, 'update');
  await context.records.settled(live.id);
  return { Warnings: warnings };
}
