// Publishes ports: opens sockets on the host for the bindings of `-p`, and derives the NAT rules.

import { isIPv4, isIPv6 } from 'node:net';
import type { PortBinding, PortMap } from '../formats/engine-api/containers.ts';
import { badParameter, ExpectedError, notImplemented } from '../formats/errors.ts';
import { AddressMissingError, type Listener, listen, type OpenHostSocket } from './listener.ts';
import type { PublishedPort } from './rules.ts';

/** The published ports of one container: the sockets that hold them, and their destinations. */
export interface Publication {
  /** The chosen ports, for inspect. */
  ports: PortMap;
  rules: PublishedPort[];
  close(): Promise<void>;
}

export interface Target {
  containerName: string;
  ipAddress: string;
  /** IPv6 address, '' for none. */
  ipv6Address: string;
  /** Address for ports that name none: the network's option host_binding_ipv4. */
  hostBinding: string;
  /** Whether NAT rules are made. Without them only a socket can forward. */
  nat: boolean;
  /** Whether a container has this address, which the rules leave to the socket. */
  isSecluded(address: string): boolean;
  openHostSocket?: OpenHostSocket | undefined;
}

/** Publishes all of them or none. @throws ExpectedError when one cannot be published */
export async function publishPorts(bindings: PortMap, target: Target): Promise<Publication> {
  const opened: { listener: Listener | undefined; rule: PublishedPort; key: string }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map(each => each.listener?.close()));
  };
  try {
    for (const [key, wanted] of Object.entries(bindings)) {
      const { port, protocol } = decodePort(key);
      for (const binding of wanted ?? []) {
        for (const each of await openBinding({ binding, port, protocol, target }))
          opened.push({ ...each, key });
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  const ports: PortMap = {};
  for (const { key, rule } of opened)
    ports[key] = [...(ports[key] ?? []), { HostIp: rule.hostIp, HostPort: String(rule.hostPort) }];
  return {
    ports,
    rules: opened.map(each => each.rule).filter(rule => sameFamily(rule)),
    close,
  };
}

type Protocol = PublishedPort['protocol'];

function decodePort(key: string): { port: number; protocol: Protocol } {
  const [, digits = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(key) ?? [];
  const port = Number(digits);
  if (port < 1 || port > 65535) throw badParameter(`invalid port "${key}": it must be like 80/tcp`);
  return { port, protocol: protocol as Protocol };
}

interface Opened {
  listener: Listener | undefined;
  rule: PublishedPort;
}

/** Opens one address, or, when none is named, all: an IPv4 and an IPv6 socket with the same port. */
async function openBinding(options: {
  binding: PortBinding;
  port: number;
  protocol: Protocol;
  target: Target;
}): Promise<Opened[]> {
  const { binding, target } = options;
  const { first, last } = decodeHostPort(binding.HostPort ?? '');
  const addresses = hostAddresses(binding.HostIp ?? '', target);
  let failure: unknown;
  for (let hostPort = first; hostPort <= last; hostPort++) {
    // A free port of IPv4 may be taken in IPv6: then another one is chosen.
    for (let attempt = 0; attempt < (hostPort === 0 ? 8 : 1); attempt++) {
      try {
        return await openTogether({ ...options, addresses, hostPort });
      } catch (error) {
        failure = error;
        if (!(error instanceof ExpectedError && error.kind === 'conflict')) throw error;
      }
    }
  }
  throw failure;
}

async function openTogether(options: {
  addresses: readonly string[];
  hostPort: number;
  port: number;
  protocol: Protocol;
  target: Target;
}): Promise<Opened[]> {
  const { addresses, port, protocol, target } = options;
  const opened: Opened[] = [];
  let { hostPort } = options;
  try {
    for (const hostIp of addresses) {
      // Without an address of this family the container is reached through the socket, at its IPv4 address.
      const containerIp = isIPv6(hostIp) && target.ipv6Address !== '' ? target.ipv6Address : target.ipAddress;
      const rule = {
        protocol,
        hostIp,
        containerIp,
        containerPort: port,
        containerName: target.containerName,
      };
      const listener = await openSocket({
        ...rule,
        hostPort,
        nat: target.nat,
        isSecluded: target.isSecluded,
        openHostSocket: target.openHostSocket,
        optional: addresses.length > 1,
      });
      if (listener === 'skipped') continue;
      hostPort = listener?.hostPort ?? hostPort;
      opened.push({ listener, rule: { ...rule, hostPort } });
    }
    return opened;
  } catch (error) {
    await Promise.all(opened.map(each => each.listener?.close()));
    throw error;
  }
}

async function openSocket(
  options: PublishedPort &
    Pick<Target, 'nat' | 'isSecluded'> & {
      optional: boolean;
      openHostSocket: OpenHostSocket | undefined;
    },
): Promise<Listener | undefined | 'skipped'> {
  const { protocol, hostIp, optional, openHostSocket } = options;
  // No rule of ours sees the packets of another network.
  const nat = options.nat && openHostSocket === undefined;
  if (protocol === 'sctp') {
    if (openHostSocket !== undefined)
      throw notImplemented('publishing SCTP needs root: a rootless daemon passes on TCP and UDP');
    if (options.hostPort === 0)
      throw notImplemented('publishing SCTP needs a port of the host: -p 1234:1234/sctp');
    if (!nat) throw notImplemented('publishing SCTP needs nft: install nftables');
    return undefined;
  }
  try {
    // A packet from ::1 cannot be translated.
    const forwards = (client: string) => client === '::1' || options.isSecluded(client);
    return await listen({
      ...options,
      protocol,
      forwards: nat && sameFamily(options) ? forwards : undefined,
    });
  } catch (error) {
    // A host without IPv6 still publishes on its IPv4 addresses.
    if (error instanceof AddressMissingError && optional && isIPv6(hostIp)) return 'skipped';
    throw error;
  }
}

/** '' → any (0), '8080', '8000-8010' → the first free one. */
function decodeHostPort(text: string): { first: number; last: number } {
  if (text === '') return { first: 0, last: 0 };
  const [, low, high] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const first = Number(low ?? -1);
  const last = Number(high ?? low ?? -1);
  if (first < 0 || last < first || last > 65535) throw badParameter(`invalid host port "${text}"`);
  return { first, last };
}

function hostAddresses(hostIp: string, target: Target): string[] {
  if (hostIp === '') return target.hostBinding === '0.0.0.0' ? ['0.0.0.0', '::'] : [target.hostBinding];
  if (!isIPv4(hostIp) && !isIPv6(hostIp)) throw badParameter(`invalid host address "${hostIp}"`);
  return [hostIp];
}

function sameFamily(rule: PublishedPort): boolean {
  return isIPv6(rule.hostIp) === isIPv6(rule.containerIp);
}
