// What a Compose client has made of a project, as inspect shows it.
import type { ContainerInspect } from '../../mini-docker/formats/engine-api/containers.ts';
import type { NetworkResource } from '../../mini-docker/formats/engine-api/networks.ts';
import type { VolumeList } from '../../mini-docker/formats/engine-api/volumes.ts';
import type { EngineClient } from './engine-client.ts';

/** One client writes an empty list where the other writes nothing. */
const withoutEmpty = (fields: object) =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) =>
        ![false, 'null', '{}', '[]'].includes(typeof value === 'object' ? JSON.stringify(value) : value),
    ),
  );

/** What is alike by whoever it was made: no ids, no addresses, no labels of the client. */
export async function pictureOf(engine: EngineClient, names: readonly string[], project = 'demo') {
  const filters = `filters=${encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${project}`] }))}`;
  const withoutOwn = (labels: Record<string, string> | null | undefined) =>
    Object.fromEntries(
      Object.entries(labels ?? {}).filter(
        ([key]) =>
          !key.startsWith('com.docker.compose.') ||
          /\.(project|service|network|volume|oneoff|container-number)$/.test(key),
      ),
    );
  const containers = [];
  for (const name of names) {
    const { Config, HostConfig, Mounts, NetworkSettings } = await engine.json<ContainerInspect>(
      'GET',
      `/containers/${name}/json`,
    );
    const { Hostname, Image, Volumes, AttachStdout, AttachStderr, ...config } = Config;
    const { Binds, ...host } = HostConfig;
    containers.push({
      config: {
        ...withoutEmpty(config),
        Labels: withoutOwn(Config.Labels),
        Env: [...(Config.Env ?? [])].sort(),
        named: Hostname === 'box',
        Image,
      },
      host: { ...withoutEmpty(host), Links: [...(host.Links ?? [])].sort() },
      mounts: [...(Mounts ?? [])]
        .map(({ Type, Name, Destination, RW, Source }) => ({
          Type,
          Name: Name?.replace(/^[0-9a-f]{64}$/, 'anonymous'),
          Destination,
          RW,
          Source: Type === 'bind' ? Source : '',
        }))
        .sort((a, b) => (a.Destination < b.Destination ? -1 : 1)),
      networks: Object.fromEntries(
        Object.entries(NetworkSettings.Networks).map(([network, { Aliases }]) => [
          network,
          (Aliases ?? []).filter(each => /^[a-z]+$/.test(each)).sort(),
        ]),
      ),
    });
  }
  const networks = await engine.json<NetworkResource[]>('GET', `/networks?${filters}`);
  const { Volumes } = await engine.json<VolumeList>('GET', `/volumes?${filters}`);
  return {
    containers,
    networks: networks
      .map(({ Name, Driver, Internal, IPAM, Labels }) => ({
        Name,
        Driver,
        Internal,
        subnet: Name === 'demo_front' ? IPAM.Config[0]?.Subnet : '',
        labels: withoutOwn(Labels),
      }))
      .sort((a, b) => (a.Name < b.Name ? -1 : 1)),
    volumes: (Volumes ?? []).map(({ Name, Driver, Labels }) => ({
      Name,
      Driver,
      labels: withoutOwn(Labels),
    })),
  };
}
