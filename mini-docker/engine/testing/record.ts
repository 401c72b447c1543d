// A record for tests.

import type { ContainerConfig, HostConfig } from '../../formats/engine-api/containers.ts';
import { DEFAULT_READONLY_PATHS, defaultMaskedPaths } from '../spec/default-paths.ts';
import { type ContainerRecord, CREATED } from '../state/record.ts';

export function testRecord(
  options: { id?: string; name?: string; config?: ContainerConfig; host?: HostConfig } = {},
): ContainerRecord {
  const id = options.id ?? '0123456789ab'.padEnd(64, 'c');
  return {
    version: 1,
    id,
    name: options.name ?? 'web',
    created: '2026-01-01T00:00:00Z',
    path: 'sh',
    args: ['-c', 'true'],
    config: { Hostname: id.slice(0, 12), Image: 'busybox', Cmd: ['sh', '-c', 'true'], ...options.config },
    hostConfig: {
      NetworkMode: 'bridge',
      IpcMode: 'private',
      CgroupnsMode: 'private',
      ShmSize: 67_108_864,
      MaskedPaths: defaultMaskedPaths('0-1'),
      ReadonlyPaths: DEFAULT_READONLY_PATHS,
      ...options.host,
    },
    imageId: `sha256:${'a'.repeat(64)}`,
    mounts: [],
    networks: {},
    state: { ...CREATED },
  };
}
