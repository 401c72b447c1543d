// Creates a container: from a client's request to its directory on disk.

import { randomBytes } from 'node:crypto';
import type { ContainerCreated, HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter, notFound } from '../../formats/errors.ts';
import { encodeTimestamp, nowNanoseconds } from '../../formats/timestamp.ts';
import type { Image } from '../../images/image.ts';
import { removeTree } from '../../linux/remove-tree.ts';
import type { CreateRequest } from '../core/create-request.ts';
import { layersBelow } from '../files/init-layer.ts';
import { makeWorkingDirectory } from '../files/working-directory.ts';
import { hasOwnNames, linkById } from '../networks/links.ts';
import { nameNetworks, requestedNetworks } from '../networks/requested.ts';
import { checkConfig } from '../spec/check-config.ts';
import { withHostDefaults } from '../spec/host-defaults.ts';
import { hostWarnings } from '../spec/host-warnings.ts';
import { commandLine, withImageDefaults } from '../spec/image-defaults.ts';
import { lxcfsMounts, wantsLxcfs } from '../spec/lxcfs.ts';
import { requestedMounts } from '../spec/mount-requests.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import { LiveContainer } from '../state/live-container.ts';
import { type ContainerRecord, CREATED } from '../state/record.ts';
import { createRecord } from '../state/record-file.ts';
import { prepareVolumes } from '../volumes/volumes.ts';

/**
 * Validates everything first. One rename then creates the container (record-file.ts); if it fails, the name
 * is released.
 */
export async function createContainer(
  context: EngineContext,
  request: CreateRequest,
): Promise<ContainerCreated> {
  const { containers, paths } = context;
  const image = await findImage(context, request);
  const mountedImages = await findMountedImages(context, request);
  const id = containers.newId();
  const name = containers.reserveName(request.name, id);
  try {
    const record = draftRecord(context, { ...request, image, mountedImages, id, name });
    nameNetworks(context, record);
    using volumes = await prepareVolumes(context, record, () => layersBelow(context, image));
    const container = new LiveContainer(record);
    try {
      createRecord(paths, record);
      if (request.body.WorkingDir) await makeWorkingDirectory(context, container);
    } catch (error) {
      await removeTree(paths.container(id).directory);
      await volumes.undo();
      throw error;
    }
    containers.add(container);
    containerEvent(context, container, 'create');
    container.onDisk = context.records.settled(id);
    if (!request.starts) await container.onDisk;
    return {
      Id: id,
      Warnings: hostWarnings(record.hostConfig, context.facts, request.body.HostConfig ?? {}),
    };
  } catch (error) {
    containers.releaseName(name, id);
    throw error;
  }
}

/**
 * The record that the request would create; nothing is written. @throws badParameter when the request is
 * invalid
 */
export function draftRecord(
  context: EngineContext,
  request: CreateRequest & {
    image: Image;
    /** Ids of the images of its mounts, by reference; from findMountedImages(). */
    mountedImages?: ReadonlyMap<string, string>;
    id: string;
    name: string;
  },
): ContainerRecord {
  const { image, mountedImages, id, name } = request;
  const { HostConfig: wantedHost = {}, NetworkingConfig, ...wantedConfig } = request.body;
  const config = withImageDefaults(wantedConfig, image.config.config ?? {});
  const command = commandLine(config);
  const host = withHostDefaults(wantedHost, context.facts, context.defaults);
  const networks = requestedNetworks(host, { asked: wantedConfig, networking: NetworkingConfig });
  namesToIds(context, host);
  checkConfig(config, host, context.facts);
  if (wantsLxcfs(host)) lxcfsMounts();
  config.Hostname ||= defaultHostname(context, host, id);
  return {
    version: 1,
    id,
    name,
    created: encodeTimestamp(nowNanoseconds()),
    ...command,
    config,
    hostConfig: host,
    imageId: image.id,
    mounts: requestedMounts({
      config,
      host,
      mountsOf: reference => otherContainer(context, reference).mounts,
      volumePath: (volume, options) => context.volumes.source(volume, options),
      volumeFilesystem: (volume, options) => context.volumes.filesystem(volume, options),
      newVolumeName: () => randomBytes(32).toString('hex'),
      imageId: reference => mountedImages?.get(reference) ?? '',
    }),
    networks,
    wantedMacs: Object.fromEntries(
      Object.entries(networks).flatMap(([network, { MacAddress }]) =>
        MacAddress ? [[network, MacAddress]] : [],
      ),
    ),
    state: { ...CREATED },
  };
}

export async function findImage(context: EngineContext, request: CreateRequest): Promise<Image> {
  const reference = request.body.Image ?? '';
  if (reference === '') {
    const { Cmd, Entrypoint } = request.body;
    const hasCommand = Boolean(Cmd?.length || Entrypoint?.length);
    throw badParameter(hasCommand ? 'no image was given' : 'no command specified');
  }
  const image = await context.images.get(reference);
  context.images.requireTrusted(image);
  const { os, architecture } = image.config;
  const [wantedOs, wantedArchitecture] = (request.platform ?? '').split('/');
  if ((wantedOs && wantedOs !== os) || (wantedArchitecture && wantedArchitecture !== architecture)) {
    throw notFound(
      `image with reference ${reference} was found but its platform (${os}/${architecture}) does not match the specified platform (${request.platform})`,
    );
  }
  return image;
}

/** @throws ImageError when one is missing, or refused by the signature policy */
export async function findMountedImages(
  { images }: EngineContext,
  { body }: CreateRequest,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { Type, Source } of body.HostConfig?.Mounts ?? []) {
    if (Type !== 'image' || !Source) continue;
    const image = await images.get(Source);
    images.requireTrusted(image);
    found.set(Source, image.id);
  }
  return found;
}

/**
 * Replaces the names of containers to share namespaces with or to link to by ids, since names may change
 * hands.
 */
function namesToIds({ containers }: EngineContext, host: HostConfig): void {
  for (const key of ['NetworkMode', 'PidMode', 'IpcMode'] as const) {
    const reference = /^container:(.+)$/.exec(host[key] ?? '')?.[1];
    if (reference === undefined) continue;
    const found = containers.find(reference);
    if (found !== undefined) host[key] = `container:${found.id}`;
    // A missing network is an error at the start only, as in docker.
    else if (key !== 'NetworkMode') throw noContainer(reference);
  }
  if (!hasOwnNames(host)) host.Links = host.Links?.map(link => linkById(containers, link)) ?? null;
}

function defaultHostname(context: EngineContext, host: HostConfig, id: string): string {
  const shared = /^container:(.+)$/.exec(host.NetworkMode ?? '')?.[1];
  if (shared !== undefined) return context.containers.find(shared)?.record.config.Hostname ?? '';
  return host.NetworkMode === 'host' || host.UTSMode === 'host' ? context.facts.hostname : id.slice(0, 12);
}

function otherContainer(context: EngineContext, reference: string): ContainerRecord {
  const found = context.containers.find(reference);
  if (found === undefined) throw noContainer(reference);
  return found.record;
}

/** 'notFound' would mean the image to a client: docker's would pull it. */
const noContainer = (reference: string) => badParameter(`No such container: ${reference}`);
