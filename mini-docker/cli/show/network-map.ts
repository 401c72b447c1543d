// `network map`: draws the kernel's view of the networks.
//
//   host
//   │
//   ├─┬─ front · bridge mini-1b2c3d4e5f · 172.18.0.1/16
//   │ ├─ veth-0011223344 ═══ eth0 of web · 172.18.0.2/16
//   │ │                        0.0.0.0:8080 ─▶ 80/tcp
//   │ └─ veth-5566778899 ═══ eth0 of db  · 172.18.0.3/16

import type { BridgeMap, CableMap, NetworkMap, ParentMap, PublishedMap } from '../../formats/network-map.ts';

export function drawNetworkMap(map: NetworkMap): string {
  const { bridges, parents = [], idle, publishedBy } = map;
  const trees = [
    ...bridges.map(each => ({ head: bridgeLine(each), branches: cableLines(each, map.published) })),
    ...parents.map(each => ({ head: parentLine(each), branches: endLines(each) })),
  ];
  const lines = ['host'];
  for (const [index, { head, branches }] of trees.entries()) {
    const isLast = index === trees.length - 1;
    const [first, rest] = isLast ? ['└', ' '] : ['├', '│'];
    lines.push('│', `${first}─${branches.length > 0 ? '┬' : '─'}─ ${head}`);
    for (const line of branches) lines.push(`${rest} ${line}`);
  }
  const notes = [
    ...(trees.length === 0 ? ['No network has a bridge now: the first container on it makes one.'] : []),
    ...(trees.length > 0 && idle.length > 0
      ? [`Without a bridge, since no container is on them: ${idle.join(', ')}`]
      : []),
    ...(publishedBy === 'proxy' && map.published.length > 0
      ? ['The daemon passes published ports on itself: it makes no rules of the firewall.']
      : []),
    ...(publishedBy === 'nat' && map.published.length > 0
      ? [
          "The rules behind the ports: nft list table inet mini-docker ('iptables -t nat -L' does not show them).",
        ]
      : []),
  ];
  if (map.hosts) {
    const shown = map.hosts.map(each => `${each.name} (${each.address}${each.isSelf ? ', this one' : ''})`);
    notes.unshift(
      `Hosts that share networks: ${shown.join(', ') || 'none is known: the cluster store is away'}`,
    );
  }
  if (notes.length > 0) lines.push('', ...notes);
  return `${lines.join('\n')}\n`;
}

function bridgeLine({ network, link, up, mtu, addresses, internal }: BridgeMap): string {
  return [
    network,
    `bridge ${link}`,
    ...addresses,
    ...(mtu === 1500 ? [] : [`mtu ${mtu}`]),
    ...(internal ? ['internal'] : []),
    ...(up ? [] : ['DOWN']),
  ].join(' · ');
}

const parentLine = ({ network, link, up, mode }: ParentMap): string =>
  [network, `macvlan on ${link}`, ...(mode === 'bridge' ? [] : [mode]), ...(up ? [] : ['DOWN'])].join(' · ');

/** Containers on a link of the host's have no cable. */
function endLines({ ends }: ParentMap): string[] {
  return ends.map(({ interface: name, container, addresses, mac }, index) =>
    [`${index === ends.length - 1 ? '└' : '├'}─ ${name} of ${container}`, ...addresses, mac].join(' · '),
  );
}

function cableLines({ cables }: BridgeMap, published: PublishedMap[]): string[] {
  const sorted = [...cables].sort((a, b) => order(a) - order(b));
  const widest = (pick: (cable: CableMap) => string) => Math.max(...sorted.map(each => pick(each).length));
  const [links, names] = [widest(each => each.link), widest(endName)];
  return sorted.flatMap((cable, index) => {
    const isLast = index === sorted.length - 1;
    const { link, up, end, tunnel } = cable;
    const state = up && end?.up !== false ? '═══' : '═╳═';
    const cableText = `${isLast ? '└' : '├'}─ ${link.padEnd(links)} ${state} `;
    const parts = [endName(cable).padEnd(names), ...(end?.addresses ?? []), ...(end ? [end.mac] : [])];
    const indent = `${isLast ? ' ' : '│'}${' '.repeat(cableText.length - 1)}  `;
    return [
      `${cableText}${parts.join(' · ').trimEnd()}`,
      ...portLines(cable, published).map(line => indent + line),
      ...(tunnel?.ends ?? []).map(
        ({ container, ipAddress, at }) => `${indent}${ipAddress} of ${container} ─▶ ${at}`,
      ),
    ];
  });
}

function endName({ end, tunnel, kind, foreign }: CableMap): string {
  if (end) return `${end.interface} of ${end.container}`;
  if (tunnel) return `tunnel ${tunnel.vni} to other hosts`;
  if (foreign)
    return `${foreign.link} of ${foreign.process ? `process ${foreign.process.pid} (${foreign.process.name})` : 'this host'}`;
  return kind === 'veth' || kind === undefined
    ? 'a cable to no container of ours'
    : `a ${kind} link that is not ours`;
}

/** Order by address. */
function order({ end }: CableMap): number {
  const bytes = end?.addresses[0]?.split('/')[0]?.split('.').map(Number) ?? [];
  return bytes.length === 4 ? bytes.reduce((sum, byte) => sum * 256 + byte, 0) : Number.MAX_SAFE_INTEGER;
}

function portLines({ end }: CableMap, published: PublishedMap[]): string[] {
  const own = new Set(end?.addresses.map(address => address.split('/')[0]));
  return published
    .filter(port => own.has(port.containerIp))
    .map(({ protocol, hostIp, hostPort, containerPort }) => {
      const host = hostIp.includes(':') ? `[${hostIp}]` : hostIp;
      return `${host}:${hostPort} ─▶ ${containerPort}/${protocol}`;
    });
}
