// The facts behind complaints.ts, from the records of all containers and from the host's file system.

import { statfsSync, statSync } from 'node:fs';
import { encodeBinarySize } from '../../../formats/sizes.ts';
import { ownerOrSelf } from '../../networks/owner.ts';
import type { EngineContext } from '../../state/context.ts';
import type { LiveContainer } from '../../state/live-container.ts';
import type { ContainerRecord } from '../../state/record.ts';
import type { ComplaintFacts } from './complaints.ts';

export function complaintFacts(
  context: EngineContext,
  { record, id }: LiveContainer,
  lines: readonly string[],
): ComplaintFacts {
  const { hostConfig, mounts } = record;
  const { ShmSize, Tmpfs = {} } = hostConfig;
  return {
    name: record.name,
    lines,
    networks: namesOfNetworks(ownerOrSelf(context, record)),
    others: [...context.containers]
      .filter(each => each.id !== id)
      .map(({ record, isRunning }) => ({
        name: record.name,
        names: namesOf(record),
        networks: namesOfNetworks(record),
        isRunning,
      })),
    readonlyRoot: hostConfig.ReadonlyRootfs ?? false,
    mounts: mounts.map(({ Destination, RW, Source }) => ({
      path: Destination,
      readonly: !RW,
      permissions: permissionsOf(Source),
    })),
    user: record.config.User || 'root',
    pidsLimit: hostConfig.PidsLimit ?? 0,
    networkMode: hostConfig.NetworkMode ?? 'bridge',
    inMemory: [
      { path: '/dev/shm', size: encodeBinarySize(ShmSize || 64 << 20), flag: '--shm-size' },
      ...Object.entries(Tmpfs ?? {}).map(([path, options]) => ({
        path,
        size: /(?:^|,)size=([^,]+)/.exec(options)?.[1] ?? 'half of the memory',
        flag: `--tmpfs ${path}:size=`,
      })),
    ],
    disk: freeAt(context.paths.dataRoot),
  };
}

function permissionsOf(source: string): string | undefined {
  const status = source === '' ? undefined : statSync(source, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  const { mode, uid, gid } = status;
  return `mode ${(mode & 0o7777).toString(8).padStart(4, '0')}, owner ${uid}, group ${gid}`;
}

const namesOfNetworks = ({ networks }: ContainerRecord): string[] =>
  Object.keys(networks).filter(each => each !== 'none' && each !== 'host');

const namesOf = ({ name, id, config, networks }: ContainerRecord): string[] => [
  name,
  id.slice(0, 12),
  config.Hostname ?? '',
  ...Object.values(networks).flatMap(({ Aliases }) => Aliases ?? []),
];

function freeAt(place: string): ComplaintFacts['disk'] {
  const { blocks, bavail, files, ffree } = statfsSync(place);
  return { place, space: blocks > 0 ? bavail / blocks : 1, files: files > 0 ? ffree / files : 1 };
}
