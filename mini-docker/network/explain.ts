// Describes how the daemon connects a container, as commands of ip(8) and nft(8) that a reader can type. The
// daemon sends the same as netlink messages (bridge.ts, cable.ts), and replaces the whole nftables table
// (rules.ts).

import type { PortBinding } from '../formats/engine-api/containers.ts';
import type { ExplainedStep } from '../formats/explanation.ts';
import { isMacvlan, parentOf } from './macvlan.ts';
import type { ExplainOptions } from './network.ts';
import { hasLinks, type NetworkRecord } from './record.ts';
import { TABLE } from './rules.ts';
import { decodeSubnet } from './subnet.ts';

/** @param record the network; one without a bridge ('none', 'host') needs nothing */
export function explainConnection(record: NetworkRecord, options: ExplainOptions): ExplainedStep[] {
  const { bridge, resource } = record;
  const inside = 'ip -n CONTAINER';
  if (!hasLinks(record)) return [];
  const end = options.interface;
  const subnets = resource.IPAM.Config;
  const address = (subnet: string): string => {
    const { family, prefixLength } = decodeSubnet(subnet)!;
    return `${(family === 4 && options.ipAddress) || `‹a free address of ${subnet}›`}/${prefixLength}`;
  };
  const bringUp = [
    ...subnets.map(({ Subnet }) => step(`${inside} address add ${address(Subnet!)} dev ${end}`, '')),
    step(`${inside} link set ${end} up`, ''),
    ...(resource.Internal
      ? []
      : subnets.map(({ Gateway }) =>
          step(
            `${inside} route add default via ${Gateway}`,
            isMacvlan(record) ? 'a router behind the parent' : 'everything else goes through the host',
          ),
        )),
  ];
  if (isMacvlan(record)) {
    const mode = resource.Options.macvlan_mode || 'bridge';
    const add = `ip link add link ${parentOf(record)} name ${end} netns CONTAINER type macvlan mode ${mode}`;
    return [step(add, 'a share of the parent, with a MAC address of its own'), ...bringUp];
  }
  return [
    step(
      `ip link add ${bridge} type bridge`,
      `the switch of network ${resource.Name}, where it is not there yet`,
    ),
    ...subnets.map(({ Subnet, Gateway }) =>
      step(
        `ip address add ${Gateway}/${decodeSubnet(Subnet!)!.prefixLength} dev ${bridge}`,
        'the gateway that containers send to',
      ),
    ),
    step(`ip link set ${bridge} up`, ''),
    step(
      `ip link add veth‹random› master ${bridge} type veth peer name ${end} netns CONTAINER`,
      'a cable: one end in the switch, the other inside',
    ),
    step('ip link set veth‹random› up', ''),
    ...bringUp,
    step(
      `nft add element ${TABLE} bridges { "${bridge}" }`,
      'the rules for addresses, ports and who may reach whom: `nft list table` shows them',
    ),
    ...Object.entries(options.bindings).flatMap(([port, hosts]) =>
      (hosts ?? []).map(binding => publication(port, binding)),
    ),
  ];
}

function publication(port: string, { HostIp, HostPort }: PortBinding): ExplainedStep {
  const [number, protocol = 'tcp'] = port.split('/');
  const from = `${protocol} . ${HostPort || '‹a free port›'}`;
  const [map, key] =
    HostIp && HostIp !== '0.0.0.0' ? ['published-at', `${HostIp} . ${from}`] : ['published', from];
  return step(
    `nft add element ${TABLE} ${map} { ${key} : ‹its address› . ${number} }`,
    'packets for this port of the host go to the container',
  );
}

function step(call: string, reason: string): ExplainedStep {
  return {
    group: 'network',
    purpose: 'the daemon lays a cable from the bridge into the network namespace',
    call,
    reason,
    by: 'daemon',
  };
}
