// Puts the events of each packet together to its path.
import type {
  TracedAddress,
  TracedLink,
  TracedPacket,
  TraceEnd,
  TraceStep,
} from '../../formats/network-trace.ts';
import { TABLE } from '../rules.ts';
import type { PacketFields, TraceEvent } from './events.ts';

export interface Names {
  /** The container or network with this address. */
  ofAddress(address: string): string | undefined;
  /** 'container web', 'network front' */
  ofLink(link: string): string | undefined;
  /** What the kernel has against the packet's route; undefined: nothing. */
  againstRoute(packet: PacketFields): string | undefined;
}

/** Names of the tracing tables begin so. */
export const PREFIX = 'mini-docker-trace-';

/** Chains of the tracing tables: see ruleset.ts. */
export const OBSERVER = { begin: ['pre', 'out'], up: 'up', host: 'in', sent: 'post' } as const;

interface Open {
  first: PacketFields;
  now: PacketFields;
  steps: TraceStep[];
  end?: TraceEnd | undefined;
  lastFamily: string;
  /** A bridge hands it up to the host, where it goes on, often as a copy with another number. */
  isHandedUp: boolean;
  isDone: boolean;
  /** Whether a rule of this trace has marked it: another trace, or an administrator, may have. */
  isWanted: boolean;
  timer: NodeJS.Timeout;
}

/** Milliseconds after its last event in which a packet has no more. */
const QUIET = 100;

/**
 * @param options.observer name of the tables whose chains mark where packets begin and end
 * @param options.done called with each complete packet, in the order in which they began
 */
export function packetAssembler(options: {
  observer: string;
  names: Names;
  done(packet: TracedPacket): void;
}) {
  const { observer, names, done } = options;
  /** By number; a packet may have had several. */
  const open = new Map<string, Open>();
  const inOrder: Open[] = [];

  const finish = (packet: Open | undefined): void => {
    if (packet === undefined || packet.isDone) return;
    clearTimeout(packet.timer);
    packet.isDone = true;
    for (const [id, other] of open) if (other === packet) open.delete(id);
    while (inOrder[0]?.isDone) {
      const first = inOrder.shift()!;
      if (first.isWanted) done(pathOf(first, names));
    }
  };

  const begin = (id: string, family: string, fields: PacketFields): void => {
    const packet: Open = {
      first: fields,
      now: fields,
      steps: [],
      lastFamily: family,
      isHandedUp: false,
      isDone: false,
      isWanted: false,
      timer: setTimeout(() => finish(packet), QUIET),
    };
    open.set(id, packet);
    inOrder.push(packet);
  };

  /** Finds the packet of which this is a copy, which a bridge has handed up to the host. */
  const copied = (id: string, fields: PacketFields): Open | undefined => {
    if (open.get(id)?.isDone === false) return undefined;
    const original = inOrder.findLast(each => each.isHandedUp && !each.isDone && isSame(each.now, fields));
    if (original !== undefined) open.set(id, original);
    return original;
  };

  return {
    add(event: TraceEvent): void {
      const { id, family, chain } = event;
      const isMarker = event.table === observer;
      // Another trace goes on at the same time.
      if (!isMarker && event.table.startsWith(PREFIX)) return;
      const begins =
        isMarker && event.kind === 'packet' && (OBSERVER.begin as readonly string[]).includes(chain);
      const before = open.get(id);
      // The kernel numbers packets by their place in memory: the same number may come again.
      const goesUp = before?.lastFamily === 'bridge' && family === 'inet';
      const original = goesUp ? before : event.kind === 'packet' ? copied(id, event.fields) : undefined;
      if (begins && original === undefined) {
        finish(before);
        begin(id, family, event.fields);
        return;
      }
      const packet = original ?? before;
      if (packet === undefined) return;
      packet.timer.refresh();
      packet.lastFamily = family;
      packet.isWanted ||= isMarker && event.kind === 'rule';
      packet.isHandedUp = isMarker && family === 'bridge' && chain === OBSERVER.up;
      if (event.kind === 'packet') {
        if (isMarker) packet.end = endAt(event, packet.end, names);
        note(packet, event.fields, names);
      } else if (!isMarker) packet.steps.push(stepOf(event));
      if (event.kind !== 'packet' && event.verdict === 'drop') {
        packet.end = { kind: 'dropped' };
        finish(packet);
      }
    },
    close(): void {
      for (const packet of [...inOrder]) finish(packet);
    },
  };
}

const isSame = (a: PacketFields, b: PacketFields): boolean =>
  a.protocol === b.protocol &&
  a.source === b.source &&
  a.destination === b.destination &&
  a.sourcePort === b.sourcePort &&
  a.destinationPort === b.destinationPort;

/** A translation shows in the packet that the next chain sees. */
function note(packet: Open, fields: PacketFields, names: Names): void {
  const { now, steps } = packet;
  const last = steps.findLast(step => step.rule !== undefined);
  if (!isSame(now, fields) && last !== undefined)
    last.becomes = { from: source(fields, names), to: destination(fields, names) };
  packet.now = fields;
}

function stepOf(event: TraceEvent & { kind: 'rule' | 'policy' }): TraceStep {
  const table = `${event.family} ${event.table}`;
  return {
    table,
    chain: event.chain,
    ...(event.kind === 'rule' ? { rule: event.rule } : {}),
    verdict: event.verdict,
    ours: table === TABLE,
  };
}

/** @param before where it was seen to be sent: a bridge knows the cable, and the host only the bridge */
function endAt(
  { family, chain, fields }: TraceEvent & { kind: 'packet' },
  before: TraceEnd | undefined,
  names: Names,
): TraceEnd | undefined {
  if (chain === OBSERVER.host) return { kind: 'host' };
  if (chain !== OBSERVER.sent || (before !== undefined && family !== 'bridge')) return before;
  return { kind: 'sent', through: link(fields.out ?? '', names) };
}

function lost(packet: PacketFields, names: Names): TraceEnd {
  const why = names.againstRoute(packet);
  return { kind: 'lost', ...(why !== undefined && { why }) };
}

function pathOf({ first, now, steps, end }: Open, names: Names): TracedPacket {
  return {
    protocol: first.protocol,
    from: source(first, names),
    to: destination(first, names),
    ...(first.flags === undefined ? {} : { flags: first.flags }),
    ...(first.in === undefined ? {} : { in: link(first.in, names) }),
    // A policy of accept says nothing beside the rules, and a bridge's own are not an administrator's.
    steps: steps.filter(step => step.rule !== undefined || step.verdict !== 'accept'),
    end: end ?? lost({ ...now, ...(first.in !== undefined && { in: first.in }) }, names),
  };
}

const source = ({ source, sourcePort }: PacketFields, names: Names) => place(source, sourcePort, names);
const destination = ({ destination, destinationPort }: PacketFields, names: Names) =>
  place(destination, destinationPort, names);

function place(address: string, port: number | undefined, names: Names): TracedAddress {
  const name = names.ofAddress(address);
  return { address, ...(port === undefined ? {} : { port }), ...(name === undefined ? {} : { name }) };
}

function link(name: string, names: Names): TracedLink {
  const of = names.ofLink(name);
  return { link: name, ...(of === undefined ? {} : { of }) };
}
