// For the api's tests: an engine of which a test gives the methods that it is about. The others reject.

import type {
  BuildsApi,
  ContainersApi,
  Engine,
  ExecsApi,
  ImagesApi,
  ManifestsApi,
  NetworksApi,
  SystemApi,
  VolumesApi,
} from '../../engine/core/engine.ts';
import { ExpectedError } from '../../formats/errors.ts';

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
    containers: rejecting<ContainersApi>(given.containers),
    execs: rejecting<ExecsApi>(given.execs),
    images: rejecting<ImagesApi>(given.images),
    manifests: rejecting<ManifestsApi>(given.manifests),
    networks: rejecting<NetworksApi>(given.networks),
    volumes: rejecting<VolumesApi>(given.volumes),
    builds: rejecting<BuildsApi>(given.builds),
    system: rejecting<SystemApi>({ version, events: async function* () {}, ...given.system }),
    close: async () => {},
  };
}

function rejecting<T extends object>(given: Partial<T> = {}): T {
  return new Proxy(given as T, {
    get: (target, name) =>
      Reflect.get(target, name) ??
      (async () => {
        throw new ExpectedError('notImplemented', `not part of this test: ${String(name)}`);
      }),
  });
}
