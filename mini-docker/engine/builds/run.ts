// Prepares a RUN of a build: the spec and the network that `run` would give a container.

import { dirname, join } from 'node:path';
import type { PreparedRun, RunRequest } from '../../build/workspace.ts';
import type { ContainerConfig } from '../../formats/engine-api/containers.ts';
import type { Image } from '../../images/image.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { dataPaths } from '../core/paths.ts';
import { storedIdentity } from '../files/identities.ts';
import { initLayers } from '../files/init-layer.ts';
import { draftRecord } from '../life/create.ts';
import { joinedPids } from '../life/start.ts';
import { connectNetworks, disconnectNetworks } from '../networks/connections.ts';
import { etcFiles, fillEtcFiles, makeEtcFiles } from '../networks/etc-files.ts';
import { networkOwner, sharedWith } from '../networks/owner.ts';
import { nameNetworks } from '../networks/requested.ts';
import { buildSpec } from '../spec/spec.ts';
import type { EngineContext } from '../state/context.ts';
import { programError } from '../state/start-errors.ts';

/** @throws ExpectedError when a limit or an option cannot be applied */
export async function prepareRun(engine: EngineContext, request: RunRequest): Promise<PreparedRun> {
  const { id, directory, runDirectory, config, args, host } = request;
  const paths = {
    ...dataPaths({ dataRoot: directory, runDir: runDirectory }),
    initLayer: engine.paths.initLayer,
  };
  const context: EngineContext = { ...engine, paths };
  makeDirectories(dirname(paths.container(id).hosts), 0o711);
  const record = draftRecord(context, {
    id,
    name: `build-${id.slice(0, 12)}`,
    image: imageOf(request),
    body: { ...containerConfig(config), Entrypoint: args.slice(0, 1), Cmd: args.slice(1), HostConfig: host },
  });
  nameNetworks(context, record);
  const { lowerdirs, upperdir, workdir } = request.layers;
  const layers = { lowerdirs: [...initLayers(paths.initLayer, lowerdirs), ...lowerdirs], upperdir, workdir };
  makeEtcFiles(context, record);
  const spec = buildSpec({
    record,
    facts: context.facts,
    user: storedIdentity(record, layers),
    rootfs: join(engine.paths.runDir, 'rootfs'),
    etcFiles:
      sharedWith(record) === undefined
        ? etcFiles(context, record)
        : etcFiles(engine, networkOwner(engine, record)),
    joined: joinedPids(context, record),
    linked: [],
    granted: [],
    hostDevices: [],
  });
  spec.mounts.push(...request.mounts);
  const attributes = { ...config.Labels, image: request.image, name: record.name };
  return {
    spec,
    layers,
    async connect(pid) {
      await connectNetworks(context, record, pid);
      fillEtcFiles(context, record);
    },
    release: () => disconnectNetworks(context, record),
    happened: (action, more = {}) =>
      context.events.emit('container', action, { id, attributes: { ...attributes, ...more } }),
    explain: cause => programError(cause, record),
  };
}

/** Without the image's volumes: files that RUN writes there become part of the image. */
function containerConfig({ Env = [], User = '', WorkingDir = '' }: RunRequest['config']): ContainerConfig {
  return { Env, User, WorkingDir };
}

/** An image of which only the id counts: it is the key under which user lookups are cached. */
const imageOf = ({ key }: RunRequest): Image => ({
  id: `build ${key}`,
  repoTags: [],
  repoDigests: [],
  size: 0,
  config: { os: 'linux', architecture: '', rootfs: { type: 'layers', diff_ids: [] } },
  manifest: { mediaType: '', digest: '', size: 0 },
});
