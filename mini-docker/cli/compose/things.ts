// The networks and volumes of a project: created when missing, removed by `down`.

import { defined } from '../../formats/defined.ts';
import type { NetworkCreateBody, NetworkResource } from '../../formats/engine-api/networks.ts';
import type { VolumeCreateBody, VolumeList, VolumeResource } from '../../formats/engine-api/volumes.ts';
import { type DaemonClient, encodeFilters } from '../daemon/client.ts';
import { CommandError, hasStatus, ifThere } from '../errors.ts';
import { printError } from '../show/output.ts';
import { progress } from './containers.ts';
import { LABEL } from './labels.ts';
import type { Network, Volume } from './model.ts';
import { type Project, thingHash } from './project.ts';

const labelsOf = (project: string, kind: string, key: string, thing: Network | Volume) => ({
  ...thing.labels,
  [LABEL.project]: project,
  [kind]: key,
  [LABEL.hash]: thingHash(thing),
});

/** Warns when an existing network or volume is not the project's, or differs from the file. */
function check(options: {
  kind: string;
  name: string;
  labels: Record<string, string> | null;
  project: string;
  thing: Network | Volume;
}) {
  const { kind, name, labels, project, thing } = options;
  const owner = labels?.[LABEL.project];
  if (owner !== project) {
    const made = owner === undefined ? 'was not created by Compose' : `belongs to the project ${owner}`;
    printError(
      `WARNING: the ${kind} ${name} exists but ${made}: use \`external: true\` to use an existing ${kind}`,
    );
  } else if (labels?.[LABEL.hash] !== undefined && labels[LABEL.hash] !== thingHash(thing))
    printError(
      `WARNING: the ${kind} ${name} differs from the file: remove it (down${kind === 'volume' ? ' -v' : ''}) to make it anew`,
    );
}

async function exactNetwork(daemon: DaemonClient, name: string): Promise<NetworkResource | undefined> {
  const found = await daemon.json<NetworkResource[]>('GET', '/networks', {
    query: { filters: encodeFilters([['name', name]]) },
  });
  return found.find(each => each.Name === name);
}

/** Creates the missing networks among those that the services use. */
export async function ensureNetworks(
  daemon: DaemonClient,
  project: Project,
  services: readonly string[],
): Promise<void> {
  const used = project.allResources
    ? Object.keys(project.networks)
    : new Set(services.flatMap(name => Object.keys(project.services[name]!.networks ?? {})));
  for (const key of used) {
    const network = project.networks[key]!;
    const { name } = network;
    const there = await exactNetwork(daemon, name);
    if (network.external) {
      if (!there)
        throw new CommandError(
          `network ${key} declared as external, but could not be found: create it with 'network create ${name}'`,
        );
      continue;
    }
    if (there) {
      check({ kind: 'network', name, labels: there.Labels, project: project.name, thing: network });
      continue;
    }
    progress('Network', name, 'Creating');
    await daemon.json('POST', '/networks/create', { json: networkBody(project.name, key, network) });
    progress('Network', name, 'Created');
  }
}

function networkBody(project: string, key: string, network: Network & { name: string }): NetworkCreateBody {
  const { ipam } = network;
  return defined({
    Name: network.name,
    CheckDuplicate: true,
    Driver: network.driver ?? 'bridge',
    Internal: network.internal ?? false,
    Attachable: network.attachable ?? false,
    EnableIPv4: network.enable_ipv4,
    EnableIPv6: network.enable_ipv6 ?? false,
    Options: network.driver_opts ?? {},
    IPAM: ipam && {
      Driver: ipam.driver ?? 'default',
      Options: ipam.options ?? {},
      Config: (ipam.config ?? []).map(each => ({
        Subnet: each.subnet,
        IPRange: each.ip_range,
        Gateway: each.gateway,
        AuxiliaryAddresses: each.aux_addresses,
      })),
    },
    Labels: labelsOf(project, LABEL.network, key, network),
  });
}

export async function ensureVolumes(
  daemon: DaemonClient,
  project: Project,
  services: readonly string[],
): Promise<void> {
  const mounts = services.flatMap(name => project.services[name]!.volumes ?? []);
  const used = project.allResources
    ? Object.keys(project.volumes)
    : new Set(mounts.filter(({ type }) => type === 'volume').flatMap(({ source }) => source ?? []));
  for (const key of used) {
    const volume = project.volumes[key]!;
    const { name } = volume;
    const path = `/volumes/${encodeURIComponent(name)}`;
    const there = await ifThere(daemon.json<VolumeResource>('GET', path));
    if (volume.external) {
      if (!there)
        throw new CommandError(
          `external volume ${JSON.stringify(name)} not found: create it with 'volume create ${name}'`,
        );
      continue;
    }
    if (there) {
      check({ kind: 'volume', name, labels: there.Labels, project: project.name, thing: volume });
      continue;
    }
    progress('Volume', name, 'Creating');
    const json: VolumeCreateBody = {
      Name: name,
      Driver: volume.driver ?? 'local',
      DriverOpts: volume.driver_opts ?? {},
      Labels: labelsOf(project.name, LABEL.volume, key, volume),
    };
    await daemon.json('POST', '/volumes/create', { json });
    progress('Volume', name, 'Created');
  }
}

const ofProject = (project: string) => ({
  filters: encodeFilters([['label', `${LABEL.project}=${project}`]]),
});

/** Finds networks by label, so that those no longer in a file are removed too. */
export async function removeNetworks(daemon: DaemonClient, project: string): Promise<void> {
  for (const { Id, Name } of await daemon.json<NetworkResource[]>('GET', '/networks', {
    query: ofProject(project),
  }))
    await remove(daemon, { kind: 'Network', name: Name, path: `/networks/${Id}` });
}

export async function removeVolumes(daemon: DaemonClient, project: string): Promise<void> {
  const { Volumes } = await daemon.json<VolumeList>('GET', '/volumes', { query: ofProject(project) });
  for (const { Name } of Volumes ?? [])
    await remove(daemon, { kind: 'Volume', name: Name, path: `/volumes/${encodeURIComponent(Name)}` });
}

/** Removes a network or volume; one that is still in use stays and is reported. */
export async function remove(
  daemon: DaemonClient,
  { kind, name, path }: { kind: string; name: string; path: string },
) {
  progress(kind, name, 'Removing');
  try {
    await daemon.text('DELETE', path);
    progress(kind, name, 'Removed');
  } catch (error) {
    if (!hasStatus(error, 403, 404, 409)) throw error;
    if (error.status !== 404) progress(kind, name, 'Resource is still in use');
  }
}
