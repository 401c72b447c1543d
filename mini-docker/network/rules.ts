// Renders our nftables table as text for nft(8): from the current state, as a whole, in one transaction. `nft
// list table inet mini-docker` shows it, with names and comments for its readers.
import type { Cut } from './partition.ts';
import type { NetworkRecord } from './record.ts';
import { OPTION } from './record.ts';

export const TABLE = 'inet mini-docker';

export interface PublishedPort {
  protocol: 'tcp' | 'udp' | 'sctp';
  /** '0.0.0.0' and '::' mean all addresses of the host. */
  hostIp: string;
  hostPort: number;
  /** Address of the same family as hostIp. */
  containerIp: string;
  containerPort: number;
  containerName: string;
}

/**
 * @param networks the networks that have a bridge
 * @param options.forwardedByUs IP versions for which the host did not forward before, with the bridges at
 * that time
 */
export function renderRules(
  networks: readonly NetworkRecord[],
  options: {
    ports: readonly PublishedPort[];
    cut?: Cut | undefined;
    forwardedByUs: { 4?: readonly string[]; 6?: readonly string[] };
  },
): string {
  const { ports, cut, forwardedByUs } = options;
  return `# Made anew whenever a network or a published port of mini-docker comes or goes: changes are lost.
add table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
${[...sets(networks), ...maps(ports), guard(networks, ports), forged(networks), ...translation(networks), ...partition(cut?.addresses ?? []), forward(forwardedByUs)].join('\n\n')}
}
`;
}

function sets(networks: readonly NetworkRecord[]): string[] {
  const talking = networks.filter(each => isOn(each, OPTION.icc));
  const internal = networks.filter(each => each.resource.Internal);
  return [
    set(
      'bridges',
      'ifname',
      networks.map(each => `${quoted(each.bridge)} ${comment(each.resource.Name)}`),
    ),
    set(
      'internal',
      'ifname',
      internal.map(each => `${quoted(each.bridge)} ${comment(each.resource.Name)}`),
    ),
    set(
      'within-one-network',
      'ifname . ifname',
      talking.map(each => `${quoted(each.bridge)} . ${quoted(each.bridge)} ${comment(each.resource.Name)}`),
    ),
  ];
}

/**
 * Destinations of packets for published ports. The maps with an address are for ports published on that
 * address only.
 */
function maps(ports: readonly PublishedPort[]): string[] {
  const anywhere = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';
  return [4, 6].flatMap(family => {
    const own = ports.filter(port => port.hostIp.includes(':') === (family === 6));
    const address = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
    const suffix = family === 4 ? '' : '6';
    const key = (port: PublishedPort): string =>
      `${port.protocol} . ${port.hostPort} ${comment(port.containerName)}`;
    const target = (port: PublishedPort): string => `${port.containerIp} . ${port.containerPort}`;
    return [
      map(
        `published${suffix}`,
        `inet_proto . inet_service : ${address} . inet_service`,
        own.filter(port => anywhere(port.hostIp)).map(port => `${key(port)} : ${target(port)}`),
      ),
      map(
        `published${suffix}-at`,
        `${address} . inet_proto . inet_service : ${address} . inet_service`,
        own
          .filter(port => !anywhere(port.hostIp))
          .map(port => `${port.hostIp} . ${key(port)} : ${target(port)}`),
      ),
    ];
  });
}

/**
 * Runs before any translation. Packets with 127.0.0.1 belong to the host: route_localnet would otherwise let
 * them in from a bridge, and a published port would accept them from a neighbour. A port that is published at
 * the gateway of a network is for that network and for the host.
 */
function guard(networks: readonly NetworkRecord[], ports: readonly PublishedPort[]): string {
  const atGateways = ports.flatMap(({ protocol, hostIp, hostPort }) => {
    const owner = networks.find(each => each.resource.IPAM.Config.some(({ Gateway }) => Gateway === hostIp));
    if (owner === undefined) return [];
    const to = `${hostIp.includes(':') ? 'ip6' : 'ip'} daddr ${hostIp} meta l4proto ${protocol} th dport ${hostPort}`;
    return [`iifname != { "lo", ${quoted(owner.bridge)} } ${to} drop`];
  });
  return chain('guard', 'type filter hook prerouting priority raw; policy accept;', [
    'iifname != "lo" ip daddr 127.0.0.0/8 drop',
    'iifname != "lo" ip saddr 127.0.0.0/8 drop',
    ...atGateways,
  ]);
}

/**
 * Drops what a container begins with the address of another network. Unlike rp_filter, which Docker leaves as
 * it is, this lets answers pass: a container on two networks answers by its default route, which need not be
 * the network on which it was asked.
 */
function forged(networks: readonly NetworkRecord[]): string {
  const foreign = networks.flatMap(({ bridge, resource }) =>
    resource.IPAM.Config.filter(({ Subnet = ':' }) => !Subnet.includes(':')).map(
      ({ Subnet }) =>
        `iifname ${quoted(bridge)} ip saddr != ${Subnet} ct state != { established, related } drop`,
    ),
  );
  return chain('forged', 'type filter hook prerouting priority mangle; policy accept;', foreign);
}

function translation(networks: readonly NetworkRecord[]): string[] {
  // fib: only packets for this host; a remote web server with the same port stays reachable.
  const published = ['fib daddr type local jump published'];
  // Where bridges pass packets to netfilter (br_netfilter), one that is turned back to its own bridge is not routed, and
  // ports that are isolated from each other (enable_icc=false) do not take it: the daemon's socket passes it on.
  // A socket for UDP answers from the gateway's address, whichever was asked.
  const isolated = networks
    .filter(each => !isOn(each, OPTION.icc))
    .flatMap(({ bridge }) => [
      `iifname ${quoted(bridge)} meta l4proto tcp return`,
      `iifname ${quoted(bridge)} meta l4proto udp fib daddr . iif type local return`,
    ]);
  return [
    chain('prerouting', 'type nat hook prerouting priority dstnat; policy accept;', [
      ...isolated,
      ...published,
    ]),
    // A packet from ::1 cannot leave the host, and IPv6 has no route_localnet: the daemon's socket passes it on.
    chain('output', 'type nat hook output priority -100; policy accept;', [
      'ip6 daddr ::1 return',
      ...published,
    ]),
    chain('published', undefined, [
      'dnat ip to ip daddr . meta l4proto . th dport map @published-at',
      'meta nfproto ipv4 dnat ip to meta l4proto . th dport map @published',
      'dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6-at',
      'meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @published6',
    ]),
    chain('postrouting', 'type nat hook postrouting priority srcnat; policy accept;', [
      // The host connects to a published port on its own 127.0.0.1: the answer could not be routed back to
      // that address.
      'ip saddr 127.0.0.0/8 oifname @bridges masquerade',
      ...networks.flatMap(masquerade),
    ]),
  ];
}

function masquerade(network: NetworkRecord): string[] {
  return network.resource.IPAM.Config.flatMap(({ Subnet = '' }) => {
    const from = `${Subnet.includes(':') ? 'ip6' : 'ip'} saddr ${Subnet}`;
    const bridge = quoted(network.bridge);
    // A container connects to a published port of its own network: the answer must come back through the
    // host.
    const back = `${from} oifname ${bridge} ct status dnat masquerade`;
    const out = `${from} oifname != ${bridge} masquerade`;
    return !network.resource.Internal && isOn(network, OPTION.masquerade) ? [out, back] : [back];
  });
}

function forward(byUs: { 4?: readonly string[]; 6?: readonly string[] }): string {
  const kept = ([4, 6] as const).flatMap(family => keepClosed(family, byUs[family]));
  return chain('forward', 'type filter hook forward priority filter; policy accept;', [
    'iifname . oifname @within-one-network accept',
    'iifname @internal drop',
    'oifname @internal drop',
    'oifname @bridges ct state established,related accept',
    'oifname @bridges ct status dnat accept',
    'oifname @bridges drop',
    ...(kept.length > 0 ? ['iifname @bridges accept', ...kept] : []),
  ]);
}

/**
 * Packets unrelated to our networks were not forwarded before, and are not now. Later bridges belong to other
 * programs.
 */
function keepClosed(family: 4 | 6, before: readonly string[] | undefined): string[] {
  if (before === undefined) return [];
  const packet = `meta nfproto ipv${family}`;
  const names = before.filter(name => /^[\w.@-]+$/.test(name)).map(quoted);
  const isNew = (side: 'iif' | 'oif'): string =>
    names.length === 0 ? '' : `${side}name != { ${names.join(', ')} } `;
  return [
    `${packet} ${isNew('iif')}meta iifkind "bridge" accept`,
    `${packet} ${isNew('oif')}meta oifkind "bridge" accept`,
    `${packet} drop`,
  ];
}

/** Between networks, and where a published port leads back into the same one. */
function partition(pairs: Cut['addresses']): string[] {
  if (pairs.length === 0) return [];
  const [v6, v4] = [true, false].map(isV6 => pairs.filter(([from]) => from.includes(':') === isV6));
  const elements = (of: Cut['addresses'] = []) => of.map(([from, to]) => `${from} . ${to}`);
  return [
    set('apart', 'ipv4_addr . ipv4_addr', elements(v4)),
    set('apart6', 'ipv6_addr . ipv6_addr', elements(v6)),
    chain('partition', 'type filter hook forward priority filter - 1; policy accept;', [
      'ip saddr . ip daddr @apart drop comment "network partition"',
      'ip6 saddr . ip6 daddr @apart6 drop comment "network partition"',
    ]),
  ];
}

/** The table for frames between ports of one bridge, which pass no hook of the family inet. Without pairs there is none. */
export function renderPartition(pairs: Cut['links']): string {
  const none = `add table bridge mini-docker\ndelete table bridge mini-docker\n`;
  if (pairs.length === 0) return none;
  const apart = set(
    'apart',
    'ifname . ifname',
    pairs.map(([from, to]) => `${quoted(from)} . ${quoted(to)}`),
  );
  const drop = chain('partition', 'type filter hook forward priority filter; policy accept;', [
    'iifname . oifname @apart drop comment "network partition"',
  ]);
  return `${none}table bridge mini-docker {\n${apart}\n\n${drop}\n}\n`;
}

export function isOn(network: NetworkRecord, option: string): boolean {
  const value = network.resource.Options[option];
  return value !== 'false' && value !== '0';
}

function set(name: string, type: string, elements: readonly string[]): string {
  return block(`set ${name}`, [`type ${type}`, ...listed(elements)]);
}

function map(name: string, type: string, elements: readonly string[]): string {
  return block(`map ${name}`, [`type ${type}`, ...listed(elements)]);
}

function listed(elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`];
}

function chain(name: string, hook: string | undefined, rules: readonly string[]): string {
  return block(`chain ${name}`, hook === undefined ? rules : [hook, ...rules]);
}

function block(head: string, lines: readonly string[]): string {
  return [`\t${head} {`, ...lines.map(line => `\t\t${line}`), '\t}'].join('\n');
}

/** Names of networks, containers and our links cannot contain a quotation mark. */
function quoted(name: string): string {
  return `"${name}"`;
}

/** Bytes; nft(8) refuses a longer comment, and with it the whole table. */
const LONGEST_COMMENT = 128;

function comment(name: string): string {
  return `comment ${quoted(name.length > LONGEST_COMMENT ? `${name.slice(0, LONGEST_COMMENT - 1)}~` : name)}`;
}
