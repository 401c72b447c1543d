// Reads what `nft monitor trace` prints: each line is one event of one packet.
//
//   trace id 1e7785b4 inet nat output packet: oif "lo" ip saddr 10.5.0.1 ip daddr 10.5.0.2 … tcp dport 8080 …
//   trace id 1e7785b4 inet nat output rule tcp dport 8080 dnat ip to 10.5.0.2:80 (verdict accept)
//   trace id 1e7785b4 inet nat output unknown rule handle 7 (verdict drop)
//   trace id 1e7785b4 inet nat output policy accept

export type TraceEvent = { id: string; family: string; table: string; chain: string } & (
  | { kind: 'packet'; fields: PacketFields }
  | { kind: 'rule'; rule: string; verdict: string }
  | { kind: 'policy'; verdict: string }
);

export interface PacketFields {
  in?: string;
  out?: string;
  protocol: string;
  source: string;
  sourcePort?: number;
  destination: string;
  destinationPort?: number;
  flags?: string;
}

/** undefined for lines of other kinds. */
export function decodeEvent(line: string): TraceEvent | undefined {
  const [, id, family, table, chain, rest] =
    /^trace id (\w+) (\w+) (\S+) (\S+) (.+)$/.exec(line.trim()) ?? [];
  if (id === undefined || family === undefined || table === undefined || chain === undefined)
    return undefined;
  const where = { id, family, table, chain };
  if (rest!.startsWith('packet: ')) return { ...where, kind: 'packet', fields: decodeFields(rest!.slice(8)) };
  // nft knows the text of those rules only that were there before it.
  const [, rule, verdict] = /^(?:rule )?(.*) \(verdict ([^()]+)\)$/.exec(rest!) ?? [];
  if (rule !== undefined) return { ...where, kind: 'rule', rule, verdict: verdict! };
  const policy = /^policy (\w+)$/.exec(rest!)?.[1];
  return policy === undefined ? undefined : { ...where, kind: 'policy', verdict: policy };
}

function decodeFields(text: string): PacketFields {
  const word = (pattern: RegExp) => pattern.exec(text)?.[1];
  const number = (pattern: RegExp) => {
    const found = word(pattern);
    return found === undefined ? undefined : Number(found);
  };
  const fields: PacketFields = {
    protocol:
      word(/\bip protocol (\S+)/) ??
      word(/\bip6 nexthdr (\S+)/) ??
      word(/\bmeta l4proto (\S+)/) ??
      // Where the rule names the protocol, nft leaves it out of the packet.
      word(/\b(tcp|udp|sctp) sport /) ??
      word(/\b(icmp) type /) ??
      (/\bicmpv6 type /.test(text) ? 'ipv6-icmp' : 'ip'),
    source: word(/\bip6? saddr (\S+)/) ?? '',
    destination: word(/\bip6? daddr (\S+)/) ?? '',
  };
  const found = {
    in: word(/\biif "([^"]+)"/),
    out: word(/\boif "([^"]+)"/),
    sourcePort: number(/\b(?:tcp|udp|sctp) sport (\d+)/),
    destinationPort: number(/\b(?:tcp|udp|sctp) dport (\d+)/),
    flags: flagNames(word(/\btcp flags == (\S+)/)),
  };
  return Object.assign(
    fields,
    Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)),
  );
}

/** In the order of their bits, from the lowest. */
const FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ecn', 'cwr'];

/** nft names single flags, and prints several as one number. */
function flagNames(text: string | undefined): string | undefined {
  if (!text?.startsWith('0x')) return text;
  return FLAGS.filter((_, bit) => (Number(text) >> bit) % 2 === 1).join('|');
}
