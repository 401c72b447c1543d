// The bridges of the host, and which box's cable is plugged into each port.
import { quietly } from '../formats/quietly.ts';
import type { BridgeView } from '../formats/view.ts';
import type { Link } from '../linux/netlink/links.ts';
import { openNetlink } from '../linux/netlink/socket.ts';
import type { Neighbour } from './namespaces.ts';
import { addressesOf, look, lookIn } from './network.ts';

/** Links by the host pid of a box's process 1: they are few, and rarely change. */
const known = new Map<number, { at: number; links: readonly Link[] }>();
/** Milliseconds for which they are not read again, while each port has an end, and while one has none. */
const KEPT = { complete: 30_000, incomplete: 3000 };

export function readBridges(boxes: readonly Neighbour[]): BridgeView[] {
  const host = quietly(() => {
    using socket = openNetlink();
    return look(socket);
  });
  const bridges = host?.links.filter(({ kind }) => kind === 'bridge') ?? [];
  if (host === undefined || bridges.length === 0) return [];
  const ports = host.links.filter(({ master }) => bridges.some(({ index }) => index === master));
  const ends = endsOf(boxes, ports);
  return bridges.map(bridge => ({
    name: bridge.name,
    up: bridge.up,
    addresses: addressesOf(host, bridge),
    ports: ports.filter(({ master }) => master === bridge.index).map(port => shownPort(port, ends)),
  }));
}

interface End {
  box: string;
  link: Link;
}

/** Each end of a cable knows the index of the other one, in the other one's namespace. */
const isEnd = (link: Link, port: Link): boolean => link.index === port.peer && link.peer === port.index;

function shownPort(port: Link, ends: readonly End[]): BridgeView['ports'][number] {
  const end = ends.find(({ link }) => isEnd(link, port));
  const { name, up } = port;
  return end === undefined ? { name, up } : { name, up, end: { box: end.box, link: end.link.name } };
}

function endsOf(boxes: readonly Neighbour[], ports: readonly Link[]): End[] {
  const pids = new Set(boxes.map(({ pid }) => pid));
  for (const pid of known.keys()) if (!pids.has(pid)) known.delete(pid);
  const read = (kept: number): End[] =>
    boxes.flatMap(({ name, pid }) => linksOf(pid, kept).map(link => ({ box: name, link })));
  const ends = read(KEPT.complete);
  const isComplete = ports.every(port => port.kind !== 'veth' || ends.some(({ link }) => isEnd(link, port)));
  return isComplete ? ends : read(KEPT.incomplete);
}

function linksOf(pid: number, kept: number): readonly Link[] {
  const before = known.get(pid);
  if (before !== undefined && Date.now() - before.at < kept) return before.links;
  const links = lookIn(pid)?.links.filter(({ peer }) => peer !== undefined) ?? [];
  known.set(pid, { at: Date.now(), links });
  return links;
}
