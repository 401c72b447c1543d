// The tables of a trace: first in each hook to mark packets (nftrace), and last to see where they got.
import type { PublishedPort } from '../rules.ts';
import { OBSERVER } from './packets.ts';

export interface TraceTarget {
  addresses: readonly string[];
  /** Only packets from and to this port of the container, and the ports of the host that are published for it. */
  port?: number | undefined;
  published: readonly PublishedPort[];
}

const TRANSPORTS = '{ tcp, udp, sctp }';

/** @param name of the tables in both families */
export function traceTables(name: string, target: TraceTarget): { inet: string; bridge: string } {
  const marks = conditions(target).map(condition => `    ${condition} meta nftrace set 1`);
  const fib = publishedConditions(target).map(condition => `    ${condition} meta nftrace set 1`);
  const chain = (title: string, hook: string, priority: number, rules: string[] = []) =>
    `  chain ${title} {\n    type filter hook ${hook} priority ${priority}; policy accept;\n${rules.join('\n')}\n  }`;
  const [pre, out] = OBSERVER.begin;
  return {
    inet: table(`inet ${name}`, [
      chain(pre, 'prerouting', -400, [...marks, ...fib]),
      chain(out, 'output', -400, [...marks, ...fib]),
      chain(OBSERVER.host, 'input', 400),
      chain(OBSERVER.sent, 'postrouting', 400),
    ]),
    // Containers on one network exchange frames that never reach the family inet.
    bridge: table(`bridge ${name}`, [
      chain(pre, 'prerouting', -400, marks),
      chain(OBSERVER.up, 'input', 400),
      chain(OBSERVER.sent, 'postrouting', 400),
    ]),
  };
}

const table = (title: string, chains: string[]): string => `table ${title} {\n${chains.join('\n')}\n}\n`;

function conditions({ addresses, port }: TraceTarget): string[] {
  return addresses.flatMap(address => {
    const family = address.includes(':') ? 'ip6' : 'ip';
    const only = (side: 'sport' | 'dport') =>
      port === undefined ? '' : ` meta l4proto ${TRANSPORTS} th ${side} ${port}`;
    return [`${family} daddr ${address}${only('dport')}`, `${family} saddr ${address}${only('sport')}`];
  });
}

/** Packets for a published port, which have the host's address before they are translated. */
function publishedConditions({ published, port }: TraceTarget): string[] {
  return published
    .filter(each => port === undefined || each.containerPort === port)
    .map(({ protocol, hostPort }) => `fib daddr type local meta l4proto ${protocol} th dport ${hostPort}`);
}
