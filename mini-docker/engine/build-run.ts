// What a RUN of a build gets from the engine: the spec and the network of a container that `run` would start.

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PreparedRun, RunRequest } from '../build/workspace.ts';
import type { ContainerConfig } from '../formats/engine-api.ts';
import type { Image } from '../images/image.ts';
import type { EngineContext } from './context.ts';
import { draftRecord } from './create.ts';
import { etcFiles, fillEtcFiles, makeEtcFiles } from './etc-files.ts';
import { translated } from './foreign-errors.ts';
import { storedIdentity } from './identities.ts';
import { connectNetworks, disconnectNetworks } from './network-connections.ts';
import { dataPaths } from './paths.ts';
import { nameNetworks } from './requested-networks.ts';
import { buildSpec } from './spec.ts';
import { programError } from './start-errors.ts';

/** @throws EngineError for limits and options that cannot be had */
export async function prepareRun(engine: EngineContext, request: RunRequest): Promise<PreparedRun> {
  const { id, directory, runDirectory, config, args, host } = request;
  const paths = {
    ...dataPaths({ dataRoot: directory, runDir: runDirectory }),
    initLayer: engine.paths.initLayer,
  };
  const context: EngineContext = { ...engine, paths };
  mkdirSync(dirname(paths.container(id).hosts), { recursive: true, mode: 0o711 });
  const record = draftRecord(context, {
    id,
    name: `build-${id.slice(0, 12)}`,
    image: imageOf(request),
    body: { ...containerConfig(config), Entrypoint: args.slice(0, 1), Cmd: args.slice(1), HostConfig: host },
  });
  await nameNetworks(context, record);
  const { lowerdirs, upperdir, workdir } = request.layers;
  const layers = { lowerdirs: [paths.initLayer, ...lowerdirs], upperdir, workdir };
  makeEtcFiles(context, record);
  const spec = await translated(async () =>
    buildSpec({
      record,
      facts: context.facts,
      user: storedIdentity(record, layers),
      rootfs: join(engine.paths.runDir, 'rootfs'),
      etcFiles: etcFiles(context, record),
      joined: {},
      linked: [],
      granted: [],
      hostDevices: [],
    }),
  );
  spec.mounts.push(...request.mounts);
  return {
    spec,
    layers,
    async connect(pid) {
      await connectNetworks(context, record, pid);
      await fillEtcFiles(context, record);
    },
    release: () => disconnectNetworks(context, record),
    explain: cause => programError(cause, record),
  };
}

/** Volumes are for containers of the finished image: what RUN writes there is to be in it. */
function containerConfig({ Env = [], User = '', WorkingDir = '' }: RunRequest['config']): ContainerConfig {
  return { Env, User, WorkingDir };
}

/** Of which only the id counts: what is looked up in its files is remembered under it. */
const imageOf = ({ key }: RunRequest): Image => ({
  id: `build ${key}`,
  repoTags: [],
  repoDigests: [],
  size: 0,
  config: { os: 'linux', architecture: '', rootfs: { type: 'layers', diff_ids: [] } },
  manifest: { mediaType: '', digest: '', size: 0 },
});
