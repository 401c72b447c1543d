// Why a running container can or cannot be reached: the ports that it listens on, the ports that are
// published, and whether packets get through.

import type { ShownCondition } from '../../../formats/network-conditions.ts';
import type { Finding } from '../../../formats/why-report.ts';
import type { ListeningSocket } from '../../../linux/proc/sockets.ts';
import type { DroppingRule } from '../../../network/foreign-rules.ts';
import type { Rule } from './facts.ts';

export interface NetworkFacts {
  name: string;
  /** Network mode: 'bridge', 'none', 'host', 'container:ID', or a network's name. */
  mode: string;
  /** First address of the container itself; '' without one. */
  address: string;
  listening: readonly ListeningSocket[];
  published: readonly PublishedFacts[];
  /** Exposed ports: '80/tcp'. */
  exposed: readonly string[];
  /** Names of the containers that `network partition` keeps it from, and those of its own group. */
  partition: { own: readonly string[]; others: readonly string[] };
  /** What `network condition` does to its packets. */
  conditions: readonly ShownCondition[];
}

export interface PublishedFacts {
  protocol: string;
  port: number;
  /** Address of the host; '' and '0.0.0.0' mean all of them. */
  hostIp: string;
  hostPort: string;
  /** Answer to a connection from the host; undefined when none was tried. */
  answer: Answer | undefined;
  rules: readonly DroppingRule[];
}

export type Answer = 'connected' | 'refused' | 'silence';

/** Rules about the container as a whole. */
export const NETWORK: readonly Rule<NetworkFacts>[] = [
  noNetwork,
  hostNetwork,
  othersNetwork,
  partitioned,
  worsened,
  nothingListens,
  notPublished,
];

/** Rules about a single published port; the first that applies is reported. */
export const PUBLISHED: readonly Rule<{ container: NetworkFacts; port: PublishedFacts }>[] = [
  listensOnLoopback,
  wrongPort,
  dropped,
  refused,
  silent,
  publishedLocally,
  reachable,
];

function noNetwork({ name, mode }: NetworkFacts): Finding | undefined {
  if (mode !== 'none') return undefined;
  return {
    code: 'no-network',
    sentence: `${name} has no network but its own loopback ('--network none'): it cannot reach anything outside, nor be reached.`,
    evidence: ["its network mode is 'none'"],
    advice: `Connect it to one: 'mini-docker network connect bridge ${name}' after 'mini-docker network disconnect none ${name}'.`,
  };
}

function hostNetwork({ name, mode, listening }: NetworkFacts): Finding | undefined {
  if (mode !== 'host') return undefined;
  return {
    code: 'host-network',
    sentence: `${name} uses the network of the host: its ports are the host's, and publishing them has no effect.`,
    evidence: [`${listening.length} sockets listen on the host, those of all its programs among them`],
  };
}

function othersNetwork({ name, mode }: NetworkFacts): Finding | undefined {
  const owner = /^container:(.+)$/.exec(mode)?.[1];
  if (owner === undefined) return undefined;
  return {
    code: 'shared-network',
    sentence: `${name} lives in the network of the container ${owner.slice(0, 12)}, and shares its addresses and published ports.`,
    evidence: [`its network mode is '${mode}'`],
    advice: `Ask about that one: 'mini-docker why ${owner.slice(0, 12)}'.`,
  };
}

function partitioned({ name, partition: { own, others } }: NetworkFacts): Finding | undefined {
  if (others.length === 0) return undefined;
  return {
    code: 'partitioned',
    sentence: `'mini-docker network partition' keeps ${name} from ${listed(others)}: their packets to each other are dropped.`,
    evidence: [`its group: ${own.join(', ')}`, `the others: ${others.join(', ')}`],
    advice: "End it with 'mini-docker network heal'.",
  };
}

const listed = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');

/** netem and its siblings, on purpose. */
function worsened({ name, conditions }: NetworkFacts): Finding | undefined {
  if (conditions.length === 0) return undefined;
  return {
    code: 'network-condition',
    sentence: `'mini-docker network condition' makes the network of ${name} worse, on purpose.`,
    evidence: conditions.map(({ container: _, network, interface: link, to, ...values }) => {
      const what = Object.entries(values).map(([key, value]) => `${key} ${value}`);
      return `on ${network} (${link})${to.length > 0 ? `, to ${to.join(', ')}` : ''}: ${what.join(', ')}`;
    }),
    advice: `End it with 'mini-docker network condition clear ${name}'.`,
  };
}

function nothingListens({ name, mode, listening, published, exposed }: NetworkFacts): Finding | undefined {
  if (mode === 'host' || mode === 'none' || listening.length > 0) return undefined;
  if (published.length === 0 && exposed.length === 0) return undefined;
  return {
    code: 'nothing-listens',
    sentence: `No program in ${name} listens on any port, so that it cannot be reached.`,
    evidence: [
      'no socket in /proc/PID/net/tcp and its siblings is in the state LISTEN',
      ...published.map(each => `published: ${shownPort(each)}`),
    ],
    advice: `The server may still be starting, or has failed: see 'mini-docker logs ${name}' and 'mini-docker top ${name}'.`,
  };
}

function notPublished({ name, mode, address, listening, published }: NetworkFacts): Finding | undefined {
  if (address === '' || mode === 'host') return undefined;
  const hidden = listening.filter(
    each =>
      each.protocol === 'tcp' &&
      !isLoopback(each.address) &&
      !published.some(({ port, protocol }) => port === each.port && protocol === each.protocol),
  );
  const [first] = hidden;
  if (first === undefined) return undefined;
  const ports = [...new Set(hidden.map(({ port }) => port))];
  return {
    code: 'not-published',
    sentence: `${name} listens on port ${ports.join(', ')}, which is not published: this host and the containers on its networks reach it at ${address}:${first.port}, other machines cannot.`,
    evidence: hidden.map(shownSocket),
    advice: `If others should reach it, create it again with '-p ${first.port}:${first.port}'.`,
  };
}

type PortFacts = { container: NetworkFacts; port: PublishedFacts };

const servers = ({ container, port }: PortFacts) =>
  container.listening.filter(each => each.port === port.port && each.protocol === port.protocol);

function listensOnLoopback(facts: PortFacts): Finding | undefined {
  const { container, port } = facts;
  const found = servers(facts);
  if (found.length === 0 || !found.every(({ address }) => isLoopback(address))) return undefined;
  return {
    code: 'listens-on-loopback',
    sentence: `${container.name} listens on ${found[0]!.address}:${port.port} only, which is its own loopback: what comes to the published port ${port.hostPort} arrives at ${container.address}, and nothing listens there.`,
    evidence: [...found.map(shownSocket), `published: ${shownPort(port)}`],
    advice: `Let the server listen on all addresses (0.0.0.0), by its option or configuration (often --host 0.0.0.0 or bind 0.0.0.0).`,
  };
}

function wrongPort(facts: PortFacts): Finding | undefined {
  const { container, port } = facts;
  if (servers(facts).length > 0 || container.listening.length === 0) return undefined;
  const other = container.listening.find(
    each => each.protocol === port.protocol && !container.published.some(({ port }) => port === each.port),
  );
  return {
    code: 'published-port-is-not-served',
    sentence: `Port ${port.hostPort} of the host leads to port ${port.port} in ${container.name}, and no program listens there${other ? `; one listens on port ${other.port}` : ''}.`,
    evidence: [`published: ${shownPort(port)}`, ...container.listening.slice(0, 8).map(shownSocket)],
    advice: other
      ? `Create it again with '-p ${port.hostPort}:${other.port}', or let the server listen on ${port.port}.`
      : `Let the server listen on ${port.port}, or publish the port that it has.`,
  };
}

/** A rule that may drop packets from elsewhere, or that dropped the connection from the host. */
function dropped(facts: PortFacts): Finding | undefined {
  const { container, port } = facts;
  const rules = port.rules.filter(
    ({ hook }) => port.answer !== 'connected' || hook === 'forward' || hook === 'prerouting',
  );
  const [first] = rules;
  if (first === undefined) return undefined;
  const certain = port.answer === 'silence' || port.answer === 'refused';
  const where = first.hook === 'output' ? 'packets of the host' : 'packets from other machines';
  return {
    code: 'rule-drops',
    sentence: `A firewall rule ${certain ? 'drops' : 'may drop'} ${where} to port ${port.port} of ${container.name}: in the table ${first.table}, chain ${first.chain}.`,
    evidence: [
      ...rules.map(({ table, chain, hook, handle }) =>
        handle === undefined
          ? `table ${table}, chain ${chain} (hook ${hook}): its policy is drop, and no rule accepts them`
          : `table ${table}, chain ${chain} (hook ${hook}): the rule with handle ${handle}`,
      ),
      `a connection from the host: ${port.answer ?? 'not tried'}`,
    ],
    advice: `Look at it with 'nft -a list chain ${first.table} ${first.chain}'; it is not mini-docker's. Let it accept packets to ${container.address}.`,
  };
}

function refused({ container, port }: PortFacts): Finding | undefined {
  if (port.answer !== 'refused') return undefined;
  return {
    code: 'connection-refused',
    sentence: `${container.name} has a listener on port ${port.port}, and yet a connection to ${container.address}:${port.port} was refused.`,
    evidence: [`published: ${shownPort(port)}`, ...container.listening.slice(0, 8).map(shownSocket)],
    advice:
      'It may listen on another of its addresses only, or a firewall rule inside of the container rejects it.',
  };
}

function silent({ container, port }: PortFacts): Finding | undefined {
  if (port.answer !== 'silence') return undefined;
  return {
    code: 'no-answer',
    sentence: `${container.name} has a listener on port ${port.port}, and a connection to ${container.address}:${port.port} from the host got no answer.`,
    evidence: ['half a second without an answer to the first packet', `published: ${shownPort(port)}`],
    advice:
      'Either a firewall rule inside of the container drops it, or the program no longer accepts connections and its queue is full. Check whether it hangs: is it paused, or waiting for something?',
  };
}

function publishedLocally({ container, port }: PortFacts): Finding | undefined {
  if (!isLoopback(port.hostIp)) return undefined;
  return {
    code: 'published-locally',
    sentence: `Port ${port.port} of ${container.name} is published at ${port.hostIp}:${port.hostPort}: from this host it can be reached, from other machines it cannot.`,
    evidence: [`published: ${shownPort(port)}`],
    advice: `If others should reach it, create it again with '-p ${port.hostPort}:${port.port}'.`,
  };
}

function reachable(facts: PortFacts): Finding | undefined {
  const { container, port } = facts;
  if (port.answer !== 'connected') return undefined;
  return {
    code: 'reachable',
    sentence: `Port ${port.port} of ${container.name} can be reached: port ${port.hostPort} of the host leads there, and a connection was accepted.`,
    evidence: [`published: ${shownPort(port)}`, ...servers(facts).map(shownSocket)],
  };
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

const host = (address: string): string => (address.includes(':') ? `[${address}]` : address);

const shownSocket = ({ protocol, address, port }: ListeningSocket): string =>
  `listens: ${protocol} ${host(address)}:${port}`;

const shownPort = ({ protocol, port, hostIp, hostPort }: PublishedFacts): string =>
  `${host(hostIp || '0.0.0.0')}:${hostPort} of the host -> ${port}/${protocol}`;
