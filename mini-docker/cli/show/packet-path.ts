// `network trace`: one packet as a path.
//
//   tcp 172.17.0.1:40122 → 172.17.0.2:80 (web), syn
//     in by docker0 (network bridge)
//     published: dnat ip to 172.17.0.2:80 · now to 172.17.0.2:80 (web)
//     ip filter FORWARD, another program's: drop
//     dropped

import type {
  MissedPackets,
  TracedAddress,
  TracedLink,
  TracedPacket,
  TraceStep,
} from '../../formats/network-trace.ts';

export const missedText = ({ missed }: MissedPackets): string =>
  `(${missed ?? 'an unknown number of'} packets came too fast to be shown)\n`;

export function packetPath(packet: TracedPacket): string {
  const { protocol, from, to, flags, steps, end } = packet;
  const start = packet.in === undefined ? 'begins on the host' : `comes in by ${linkText(packet.in)}`;
  const lines = [start, ...steps.map(stepText), endText(packet)];
  const title = `${protocol} ${addressText(from)} → ${addressText(to)}${flags === undefined ? '' : `, ${flags}`}`;
  return `${end.kind === 'dropped' || end.kind === 'lost' ? '✗' : '✓'} ${title}\n${lines.map(line => `    ${line}\n`).join('')}`;
}

function stepText({ table, chain, rule, verdict, ours, becomes }: TraceStep): string {
  const whose = ours ? 'mini-docker' : "another program's";
  const what = rule === undefined ? `the policy is ${verdict}` : rule;
  const says = rule === undefined || rule.includes(verdict) || verdict === 'continue' ? '' : ` (${verdict})`;
  const now =
    becomes === undefined ? '' : `\n      now ${addressText(becomes.from)} → ${addressText(becomes.to)}`;
  return `${table} ${chain} (${whose}): ${what}${says}${now}`;
}

function endText({ end, steps }: TracedPacket): string {
  switch (end.kind) {
    case 'host':
      return 'given to the host';
    case 'sent':
      return `sent by ${linkText(end.through)}`;
    case 'dropped': {
      const last = steps.at(-1);
      const by = last?.ours ? 'mini-docker' : 'a rule of another program';
      return last === undefined ? 'dropped' : `dropped by ${by}: ${last.table} ${last.chain}`;
    }
    case 'lost':
      return `then seen nowhere: ${end.why ?? 'the kernel dropped it outside of all rules'}`;
  }
}

const addressText = ({ address, port, name }: TracedAddress): string => {
  const host = address.includes(':') && port !== undefined ? `[${address}]` : address;
  return `${host}${port === undefined ? '' : `:${port}`}${name === undefined ? '' : ` (${name})`}`;
};

const linkText = ({ link, of }: TracedLink): string => (of === undefined ? link : `${link} (${of})`);
