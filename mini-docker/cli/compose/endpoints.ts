// A container's connections to the networks of its service, and its links.

import { defined, unlessEmpty } from '../../formats/defined.ts';
import type { EndpointSettings } from '../../formats/engine-api/containers.ts';
import { type Project, replicasOf } from './project.ts';
import type { Endpoint, Service } from './service.ts';

interface Connected {
  project: Project;
  /** Name of the service. */
  name: string;
  service: Service;
  containerName: string;
  /** Whether other containers find this one by the service's name. */
  aliases: boolean;
}

/** Endpoints in order of priority, highest first: the first network has the default route. */
export function endpoints(wanted: Connected) {
  const { project, name, service, containerName, aliases: isFound } = wanted;
  const all = Object.entries(service.networks ?? {}).map(
    ([key, endpoint]) => ({ key, ...endpoint }) as { key: string } & Endpoint,
  );
  const links = linksOf(wanted);
  return all
    .sort(
      (a, b) =>
        (b.gw_priority ?? 0) - (a.gw_priority ?? 0) ||
        (b.priority ?? 0) - (a.priority ?? 0) ||
        (a.key < b.key ? -1 : 1),
    )
    .map(({ key, ipv4_address, ipv6_address, link_local_ips, mac_address, aliases = [], ...more }) => {
      const driver_opts = {
        ...more.driver_opts,
        ...(more.interface_name && { 'com.docker.network.endpoint.ifname': more.interface_name }),
      };
      const ipam = defined<NonNullable<EndpointSettings['IPAMConfig']>>({
        IPv4Address: ipv4_address,
        IPv6Address: ipv6_address,
        LinkLocalIPs: link_local_ips,
      });
      const endpoint = defined<EndpointSettings>({
        Aliases: [...new Set([containerName, ...(isFound ? [name, ...aliases] : [])])],
        IPAMConfig: unlessEmpty(ipam),
        Links: unlessEmpty(links),
        MacAddress: mac_address,
        DriverOpts: unlessEmpty(driver_opts),
      });
      return { network: project.networks[key]!.name, endpoint };
    });
}

/** The links of a service; those to another service lead to all of its containers, which have three names there. */
export function linksOf({ project, service }: Pick<Connected, 'project' | 'service'>): string[] {
  const toServices = (service.links ?? []).flatMap(link => {
    const [target = '', alias = target] = link.split(':');
    const linked = project.services[target];
    if (linked === undefined) return [`${target}:${alias}`];
    return Array.from({ length: replicasOf(linked) }, (_, index) => index + 1).flatMap(number => {
      const name = linked.container_name ?? `${project.name}-${target}-${number}`;
      return [alias, `${target}-${number}`, `${project.name}-${target}-${number}`].map(
        each => `${name}:${each}`,
      );
    });
  });
  const outside = (service.external_links ?? []).map(each => (each.includes(':') ? each : `${each}:${each}`));
  return [...new Set([...toServices, ...outside])];
}
