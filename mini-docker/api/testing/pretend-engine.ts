// Makes an engine from the methods that a test of the api needs. The others reject.

import type {
  BuildsApi,
  ContainersApi,
  Engine,
  ExecsApi,
  ImagesApi,
  ManifestsApi,
  NetworksApi,
  VolumesApi,
} from '../../engine/core/engine.ts';
import type { SystemApi } from '../../engine/core/system-api.ts';
import { only } from '../../engine/testing/only.ts';

export interface Pretended {
  containers?: Partial<ContainersApi>;
  execs?: Partial<ExecsApi>;
  images?: Partial<ImagesApi>;
  manifests?: Partial<ManifestsApi>;
  networks?: Partial<NetworksApi>;
  volumes?: Partial<VolumesApi>;
  builds?: Partial<BuildsApi>;
  system?: Partial<SystemApi>;
}

export function pretendEngine(given: Pretended): Engine {
  const version: SystemApi['version'] = () => ({
    Platform: { Name: '' },
    Components: [{ Name: 'Engine', Version: '1.2.3', Details: {} }],
    Version: '1.2.3',
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: 'amd64',
    KernelVersion: '',
    BuildTime: '',
  });
  return {
    containers: only<ContainersApi>(given.containers),
    execs: only<ExecsApi>(given.execs),
    images: only<ImagesApi>(given.images),
    manifests: only<ManifestsApi>(given.manifests),
    networks: only<NetworksApi>(given.networks),
    volumes: only<VolumesApi>(given.volumes),
    builds: only<BuildsApi>(given.builds),
    system: only<SystemApi>({
      version,
      events: async function* () {},
      countRequest() {},
      ...given.system,
    }),
    stopContainers: async () => {},
    close: async () => {},
  };
}
