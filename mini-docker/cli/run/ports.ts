// Published ports: decodes `-p [IP:][HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL]`, its long form, and
// `--expose`, and formats ports for listings. Messages are docker's, since scripts search for them.

import { isIP } from 'node:net';
import { decodeCsvLine } from '../../formats/csv.ts';
import type { Port, PortBinding } from '../../formats/engine-api/containers.ts';
import { FormatError } from '../../formats/errors.ts';
import { splitAt } from '../../formats/split.ts';

export interface PublishedPort {
  /** The container's port: '80/tcp' */
  port: string;
  binding: Required<PortBinding>;
}

interface Range {
  first: number;
  last: number;
}

/** One argument of `-p` → one entry per container port. @throws FormatError when it is malformed */
export function decodePublish(text: string): PublishedPort[] {
  return text.includes('=') ? decodeLong(text) : decodeShort(text);
}

function decodeShort(text: string): PublishedPort[] {
  const { rest, protocol } = splitProtocol(text);
  // An IPv6 address is in brackets, so the last two colons separate.
  const match = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([^:[\]]*):)?([^:[\]]*)$/.exec(rest);
  if (!match) throw new FormatError(`invalid IP address or port: ${rest}`);
  const [, address = '', host = '', container = ''] = match;
  if (container === '') throw new FormatError(`no port specified: ${text}<empty>`);
  const ip = address.replace(/^\[(.*)\]$/, '$1');
  if (ip !== '' && !isIP(ip)) throw new FormatError(`invalid IP address: ${address}`);
  return pair({
    containers: decodeRange(container, 'containerPort'),
    hosts: host === '' ? undefined : decodeRange(host, 'hostPort'),
    containerText: container,
    hostText: host,
    ip,
    protocol,
  });
}

function decodeLong(text: string): PublishedPort[] {
  const fields: Record<string, string> = {};
  for (const field of decodeCsvLine(text)) {
    const [name, value] = splitAt(field, '=');
    if (name === '' || value === undefined)
      throw new FormatError(`invalid field format: ${field} (expected name=value)`);
    fields[name.toLowerCase()] = value;
  }
  const { target, published = '', protocol = 'tcp', mode: _, ...unknown } = fields;
  const [name] = Object.keys(unknown);
  if (name !== undefined)
    throw new FormatError(`invalid field key: ${name} (there are target, published, protocol)`);
  if (target === undefined) throw new FormatError(`missing mandatory field "target": ${text}`);
  return pair({
    containers: decodeRange(target, 'target port'),
    hosts: published === '' ? undefined : decodeRange(published, 'published port'),
    containerText: target,
    hostText: published,
    ip: '',
    protocol: checkProtocol(protocol),
  });
}

function pair(spec: {
  containers: Range;
  hosts: Range | undefined;
  containerText: string;
  hostText: string;
  ip: string;
  protocol: string;
}): PublishedPort[] {
  const { containers, hosts, ip, protocol } = spec;
  const count = containers.last - containers.first + 1;
  if (hosts && hosts.last - hosts.first + 1 !== count && count !== 1) {
    throw new FormatError(
      `invalid ranges specified for container and host Ports: ${spec.containerText} and ${spec.hostText}`,
    );
  }
  return Array.from({ length: count }, (_, index) => {
    // One container port with a range on the host: the daemon picks a free one.
    const single = count === 1 ? spec.hostText : String((hosts?.first ?? 0) + index);
    return {
      port: `${containers.first + index}/${protocol}`,
      binding: { HostIp: ip, HostPort: hosts ? single : '' },
    };
  });
}

/** One argument of `--expose` → ['80/tcp', …]. @throws FormatError when it is malformed */
export function decodeExpose(text: string): string[] {
  if (text.includes(':')) throw new FormatError(`invalid port format for --expose: ${text}`);
  const { rest, protocol } = splitProtocol(text);
  const { first, last } = decodeRange(rest, 'range format for --expose');
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

function splitProtocol(text: string): { rest: string; protocol: string } {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return { rest: text, protocol: 'tcp' };
  return { rest: text.slice(0, slash), protocol: checkProtocol(text.slice(slash + 1) || 'tcp') };
}

function checkProtocol(protocol: string): string {
  const name = protocol.toLowerCase();
  if (name !== 'tcp' && name !== 'udp' && name !== 'sctp')
    throw new FormatError(`invalid proto: ${protocol}`);
  return name;
}

function decodeRange(text: string, what: string): Range {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || last < first || last > 65535) throw new FormatError(`invalid ${what}: ${text}`);
  return { first, last };
}

/** Ports in the form of `ps`: '0.0.0.0:8080-8081->80-81/tcp, 53/udp'. Consecutive ports are joined. */
export function describePorts(ports: Port[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      order(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      order(a.Type, b.Type),
  );
  const groups: { ip: string; type: string; first: Port; last: Port }[] = [];
  for (const port of sorted) {
    const ip = port.IP ?? '';
    const group = groups.find(
      each =>
        each.ip === ip &&
        each.type === port.Type &&
        each.last.PrivatePort + 1 === port.PrivatePort &&
        (each.last.PublicPort ?? 0) + (port.PublicPort ? 1 : 0) === (port.PublicPort ?? 0),
    );
    if (group) group.last = port;
    else groups.push({ ip, type: port.Type, first: port, last: port });
  }
  const range = (first: number, last: number) => (first === last ? `${first}` : `${first}-${last}`);
  return groups
    .map(({ ip, type, first, last }) => {
      const inside = `${range(first.PrivatePort, last.PrivatePort)}/${type}`;
      if (!first.PublicPort) return inside;
      const host = ip.includes(':') ? `[${ip}]` : ip;
      return `${host}:${range(first.PublicPort, last.PublicPort ?? first.PublicPort)}->${inside}`;
    })
    .join(', ');
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
