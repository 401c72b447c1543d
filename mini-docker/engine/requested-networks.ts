// Which networks a container shall be on: --network, and what docker-compose says of each.

import type {
  ContainerConfig,
  EndpointSettings,
  HostConfig,
  NetworkingConfig,
} from '../formats/engine-api.ts';
import { badParameter } from './errors.ts';

/**
 * By network, the one of NetworkMode first: its gateway becomes the default route.
 * @throws badParameter for ports and addresses that cannot be with this network
 */
export function requestedNetworks(
  host: HostConfig,
  options: { config: ContainerConfig; networking: NetworkingConfig | undefined },
): Record<string, EndpointSettings> {
  const mode = host.NetworkMode ?? 'bridge';
  const asked = options.networking?.EndpointsConfig ?? {};
  if (mode.startsWith('container:')) {
    if (Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts) {
      throw badParameter('conflicting options: port publishing and the container type network mode');
    }
    return {};
  }
  const first = asked[mode] ?? (mode === 'bridge' ? asked.default : undefined) ?? {};
  const networks: Record<string, EndpointSettings> = { [mode]: { ...first } };
  const others = Object.entries(asked).filter(([name]) => name !== mode && name !== 'default');
  if ((mode === 'host' || mode === 'none') && others.length > 0) {
    throw badParameter(`container cannot be connected to network ${others[0]![0]} and ${mode} at once`);
  }
  for (const [name, settings] of others) networks[name] = { ...settings };
  return networks;
}
