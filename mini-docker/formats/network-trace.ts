// The path of one packet through the host, as `network trace` shows it.

export interface TracedPacket {
  /** 'tcp', 'udp', 'icmp', …, as nft names it. */
  protocol: string;
  from: TracedAddress;
  to: TracedAddress;
  /** Of TCP: 'syn'. */
  flags?: string;
  /** Where it came in; undefined: it begins on the host. */
  in?: TracedLink;
  /** What it met, in order: rules that matched, and policies of chains. */
  steps: TraceStep[];
  end: TraceEnd;
}

export interface TracedAddress {
  address: string;
  port?: number;
  /** The container or the network that has the address. */
  name?: string;
}

export interface TracedLink {
  link: string;
  /** 'container web', 'network front' */
  of?: string;
}

export interface TraceStep {
  /** Family and name: 'inet mini-docker'. */
  table: string;
  chain: string;
  /** The rule as nft writes it; undefined for the chain's policy. */
  rule?: string;
  /** 'accept', 'drop', 'continue', 'jump published', … */
  verdict: string;
  /** Whether the rule is mini-docker's. */
  ours: boolean;
  /** The destination or the source after the rule, if it has changed. */
  becomes?: { from: TracedAddress; to: TracedAddress };
}

export type TraceEnd =
  /** Given to a program on the host. */
  | { kind: 'host' }
  | { kind: 'sent'; through: TracedLink }
  /** By the last step. */
  | { kind: 'dropped' }
  /** It was accepted and then seen nowhere. `why`: what the kernel says of its route now; undefined: nothing against it. */
  | { kind: 'lost'; why?: string };

/** In the place of packets that came faster than they could be shown. */
export interface MissedPackets {
  /** Packets; null where the kernel lost their events and does not say how many. */
  missed: number | null;
}
