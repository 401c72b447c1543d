// Firewall rules of other programs (docker, a firewall, the administrator) that may drop packets to a
// container. nft(8) lists them as JSON, libnftables-json(5); a condition that cannot be judged here counts
// as 'maybe'.

import { BlockList, isIP, isIPv6 } from 'node:net';

export interface Target {
  address: string;
  port: number;
  protocol: string;
  /** Link names of the bridges that the container is attached to. */
  bridges: readonly string[];
}

export interface DroppingRule {
  /** Family and name of the table: 'ip filter'. */
  table: string;
  chain: string;
  /** Hook where packets meet the rule: 'forward' for packets from elsewhere, 'output' for the host's own. */
  hook: string;
  /** Handle of the rule; undefined when the chain's policy drops the packet. */
  handle?: number;
}

interface Chain {
  family: string;
  table: string;
  name: string;
  hook?: string;
  policy?: string;
}

interface Rule {
  family: string;
  table: string;
  chain: string;
  handle: number;
  comment?: string;
  expr: Record<string, unknown>[];
}

/** Whether a rule's conditions hold for the first packet of a connection to the target. */
type Match = 'no' | 'maybe' | 'yes';

/** Deepest nesting of jumps that the kernel allows between chains: NFT_JUMP_STACK_SIZE. */
const DEEPEST = 16;
const HOOKS = ['prerouting', 'forward', 'output', 'postrouting'];

/** @param listing output of `nft -j list ruleset` */
export function droppingRules(listing: string, ourTable: string, target: Target): DroppingRule[] {
  const { nftables } = JSON.parse(listing) as { nftables: { chain?: Chain; rule?: Rule }[] };
  const families = ['inet', isIPv6(target.address) ? 'ip6' : 'ip'];
  const chains = nftables.flatMap(({ chain }) =>
    chain && families.includes(chain.family) && `${chain.family} ${chain.table}` !== ourTable ? [chain] : [],
  );
  const rules = nftables.flatMap(({ rule }) => (rule ? [rule] : []));
  const found: DroppingRule[] = [];

  /** Walks a chain; true when the packet certainly goes no further. */
  const walk = (chain: Chain, hook: string, depth: number): boolean => {
    const table = `${chain.family} ${chain.table}`;
    const own = rules.filter(
      each => each.family === chain.family && each.table === chain.table && each.chain === chain.name,
    );
    for (const rule of own) {
      const match = matches(rule, target);
      if (match === 'no') continue;
      const verdict = Object.assign({}, ...rule.expr) as Record<string, { target?: string } | null>;
      if ('drop' in verdict || 'reject' in verdict)
        found.push({ table, chain: chain.name, hook, handle: rule.handle });
      const next = verdict.jump?.target ?? verdict.goto?.target;
      const to = chains.find(
        each => each.family === chain.family && each.table === chain.table && each.name === next,
      );
      const ends = to !== undefined && depth < DEEPEST && walk(to, hook, depth + 1);
      const isVerdict = ['accept', 'drop', 'reject'].some(word => word in verdict);
      if (match === 'yes' && (ends || isVerdict)) return true;
      if (match === 'yes' && 'return' in verdict) return false;
    }
    return false;
  };

  for (const chain of chains) {
    if (chain.hook === undefined || !HOOKS.includes(chain.hook)) continue;
    const before = found.length;
    const ended = walk(chain, chain.hook, 0);
    if (!ended && chain.policy === 'drop' && found.length === before)
      found.push({ table: `${chain.family} ${chain.table}`, chain: chain.name, hook: chain.hook });
  }
  return found;
}

/** Comment of the rules that firewall.ts adds to other programs' chains. */
const OURS = 'mini-docker';

function matches(rule: Rule, target: Target): Match {
  if (rule.comment === OURS) return 'yes';
  const conditions = rule.expr.map((part): Match => {
    if ('match' in part) return condition(part.match as Condition, target);
    return 'xt' in part || 'limit' in part || 'vmap' in part ? 'maybe' : 'yes';
  });
  if (conditions.includes('no')) return 'no';
  return conditions.includes('maybe') ? 'maybe' : 'yes';
}

interface Condition {
  op: string;
  left: { payload?: { protocol?: string; field?: string }; meta?: { key: string }; ct?: { key: string } };
  right: unknown;
}

function condition({ op, left, right }: Condition, target: Target): Match {
  const isEqual = equal(left, right, target);
  if (isEqual === undefined) return 'maybe';
  return isEqual === (op !== '!=') ? 'yes' : 'no';
}

/** Whether the packet's field equals the value; undefined when that cannot be known. */
function equal(left: Condition['left'], right: unknown, target: Target): boolean | undefined {
  const { address, port, protocol, bridges } = target;
  const { payload, meta, ct } = left;
  if (payload?.field === 'daddr') return oneOf(right, value => isAddress(value, address));
  if (payload?.field === 'dport') {
    const others = ['tcp', 'udp', 'sctp'].filter(each => each !== protocol);
    return others.includes(payload.protocol ?? '') ? false : oneOf(right, value => isPort(value, port));
  }
  if (meta?.key === 'l4proto' || payload?.field === 'protocol')
    return oneOf(right, value => value === protocol);
  if (meta?.key === 'oifname') return oneOf(right, value => bridges.some(each => isLink(value, each)));
  if (meta?.key === 'iifname')
    return oneOf(right, value => (bridges.some(each => isLink(value, each)) ? false : undefined));
  if (ct?.key === 'state') return oneOf(right, value => value === 'new');
  return undefined;
}

/** Whether the predicate holds for the value, or for any member of a set. */
function oneOf(right: unknown, is: (value: unknown) => boolean | undefined): boolean | undefined {
  const set = Array.isArray(right) ? right : (right as { set?: unknown[] } | null)?.set;
  const answers = (set ?? [right]).map(is);
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}

function isAddress(value: unknown, address: string): boolean | undefined {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  const { prefix } = (value ?? {}) as { prefix?: { addr: string; len: number } };
  if (prefix && isIP(prefix.addr) > 0)
    list.addSubnet(prefix.addr, prefix.len, isIPv6(prefix.addr) ? 'ipv6' : 'ipv4');
  else if (typeof value === 'string' && isIP(value) > 0)
    list.addAddress(value, isIPv6(value) ? 'ipv6' : 'ipv4');
  else return undefined;
  return list.check(address, family);
}

function isPort(value: unknown, port: number): boolean | undefined {
  if (typeof value === 'number') return value === port;
  const { range } = (value ?? {}) as { range?: [number, number] };
  return range === undefined ? undefined : port >= range[0] && port <= range[1];
}

function isLink(value: unknown, link: string): boolean {
  if (typeof value !== 'string') return false;
  return value.endsWith('*') ? link.startsWith(value.slice(0, -1)) : value === link;
}
