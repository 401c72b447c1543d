// The names by which containers on the same user-defined network can reach each other.
import type { ContainerRecord } from '../record.ts';
import type { NameBook } from './answer.ts';

/** Containers on other hosts, by the network's id. */
export type Elsewhere = (networkId: string) => readonly Named[] | undefined;

interface Named {
  ipAddress: string;
  ipv6Address?: string | undefined;
  dnsNames: readonly string[];
}

/** The running containers' names that the container can see. Looked up at every query, since names change. */
export function bookOf(
  containerId: string,
  containers: ReadonlyMap<string, ContainerRecord>,
  elsewhere: Elsewhere = () => [],
): NameBook {
  const networks = () =>
    (containers.get(containerId)?.endpoints ?? []).filter(each => each.dnsNames.length > 0);

  const on = (networkId: string): Named[] => [
    ...[...containers.values()].flatMap(each => each.endpoints).filter(each => each.networkId === networkId),
    ...(elsewhere(networkId) ?? []),
  ];

  return {
    addressesOf(name) {
      const found = networks().flatMap(own => {
        const suffix = `.${own.networkName.toLowerCase()}`;
        const plain = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
        const wanted = linked(own.links, plain) ?? plain;
        return on(own.networkId).filter(each => each.dnsNames.some(known => known.toLowerCase() === wanted));
      });
      if (found.length === 0) return undefined;
      const addresses = (key: 'ipAddress' | 'ipv6Address') => [
        ...new Set(found.map(each => each[key] ?? '').filter(address => address !== '')),
      ];
      return { ipv4: addresses('ipAddress'), ipv6: addresses('ipv6Address') };
    },
    nameOf(address) {
      for (const own of networks()) {
        const owner = on(own.networkId).find(
          each => each.ipAddress === address || each.ipv6Address === address,
        );
        if (owner?.dnsNames[0] !== undefined) return `${owner.dnsNames[0]}.${own.networkName}`;
      }
      return undefined;
    },
  };
}

/** `--link web:db`: db means web, for this container only. */
function linked(links: Record<string, string>, name: string): string | undefined {
  const [, target] = Object.entries(links).find(([alias]) => alias.toLowerCase() === name) ?? [];
  return target?.toLowerCase();
}
