// Converts answers to earlier versions of the API: a client that names a version reads that version's fields.

import type { ContainerInspect, ContainerStats } from '../formats/engine-api/containers.ts';
import type { ImageInspect, ImageSummary } from '../formats/engine-api/images.ts';
import type { SystemInfo } from '../formats/engine-api/system.ts';

/** The minor version: 47 for 1.47. */
type Version = number;

/** Clients before 1.44 print VirtualSize, which had long been the same as Size. */
export function imagesFor(images: ImageSummary[], version: Version): ImageSummary[] {
  return version < 44 ? images.map(each => ({ ...each, VirtualSize: each.Size })) : images;
}

/**
 * Until 1.44 an image described the container that it was committed from. When docker-compose 1.29 recreates
 * a container, it keeps the volumes that ContainerConfig names; images here have no such container, so their
 * own volumes are given.
 */
export function imageFor(image: ImageInspect, version: Version): object {
  const { VirtualSize, ...rest } = image;
  return {
    ...rest,
    ...(version < 45 && { Container: '', ContainerConfig: image.Config }),
    ...(version < 44 && { VirtualSize }),
  };
}

export function infoFor(info: SystemInfo, version: Version): object {
  if (version >= 25) return info;
  const names = info.SecurityOptions.map(each => /^name=([^,]*)/.exec(each)?.[1] ?? each);
  return { ...info, ExecutionDriver: '<not supported>', SecurityOptions: names };
}

export function containerFor(container: ContainerInspect, version: Version): object {
  if (version >= 45) return container;
  const aliased = withShortAlias(container);
  if (version >= 21) return aliased;
  const { Networks: _, ...settings } = aliased.NetworkSettings;
  const { MacAddress = '', NetworkDisabled = false, ExposedPorts = null } = container.Config;
  const { VolumeDriver, Memory, MemorySwap, CpuShares, CpusetCpus } = container.HostConfig;
  const config = { ...container.Config, MacAddress, NetworkDisabled, ExposedPorts, VolumeDriver };
  const before21 = { ...aliased, NetworkSettings: settings, Config: config };
  if (version >= 20) return before21;
  const { Mounts, ...rest } = before21;
  return {
    ...rest,
    Config: { ...config, Memory, MemorySwap, CpuShares, Cpuset: CpusetCpus },
    Volumes: Object.fromEntries(Mounts.map(each => [each.Destination, each.Source])),
    VolumesRW: Object.fromEntries(Mounts.map(each => [each.Destination, each.RW])),
  };
}

/** Before 1.45 the aliases of a container on a network with names included its short id. */
function withShortAlias(container: ContainerInspect): ContainerInspect {
  const { Id, NetworkSettings } = container;
  const networks = Object.entries(NetworkSettings.Networks).map(([name, settings]) => {
    const hasNames = !['bridge', 'host', 'none'].includes(name);
    const Aliases = hasNames ? [...(settings.Aliases ?? []), Id.slice(0, 12)] : (settings.Aliases ?? null);
    return [name, { ...settings, Aliases }];
  });
  return { ...container, NetworkSettings: { ...NetworkSettings, Networks: Object.fromEntries(networks) } };
}

/** Before 1.21 a container had one network. */
export function statsFor(stats: ContainerStats, version: Version): object {
  const { networks, ...rest } = stats;
  if (version >= 21) return stats;
  const network: Record<string, number> = {};
  for (const each of Object.values(networks ?? {})) {
    for (const [name, count] of Object.entries(each)) network[name] = (network[name] ?? 0) + count;
  }
  return { ...rest, network };
}
