// Decodes the published ports from nft(8)'s listing (`nft -j list table inet mini-docker`,
// libnftables-json(5)): the maps that rules.ts writes.
import type { PublishedPort } from './rules.ts';

/** A value, or one with a comment. */
type Element = Concatenation | { elem: { val: Concatenation; comment?: string } };

interface Concatenation {
  concat: (string | number)[];
}

interface Listed {
  map?: { name: string; elem?: [Element, Concatenation][] };
}

export function decodePublished(listing: string): PublishedPort[] {
  const { nftables } = JSON.parse(listing) as { nftables: Listed[] };
  return nftables.flatMap(({ map }) => {
    const kind = /^published(6?)(-at)?$/.exec(map?.name ?? '');
    if (!map?.elem || !kind) return [];
    const anywhere = kind[1] === '6' ? '::' : '0.0.0.0';
    return map.elem.map(([key, target]) => {
      const { val, comment = '' } = 'elem' in key ? key.elem : { val: key };
      const [hostIp, protocol, hostPort] = kind[2] ? val.concat : [anywhere, ...val.concat];
      const [containerIp, containerPort] = target.concat;
      return {
        protocol: String(protocol) as PublishedPort['protocol'],
        hostIp: String(hostIp),
        hostPort: Number(hostPort),
        containerIp: String(containerIp),
        containerPort: Number(containerPort),
        containerName: comment,
      };
    });
  });
}
