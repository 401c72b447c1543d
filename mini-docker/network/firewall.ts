// Keeps the kernel's rules equal to those of rules.ts, and keeps other tables from dropping our packets.
import type { Forwarding } from './forwarding.ts';
import { type ForeignChain, type Nft, NftMissingError } from './nft.ts';
import type { Cut } from './partition.ts';
import type { NetworkRecord } from './record.ts';
import { type PublishedPort, renderPartition, renderRules, TABLE } from './rules.ts';

export interface FirewallState {
  networks: readonly NetworkRecord[];
  ports: readonly PublishedPort[];
  cut: Cut | undefined;
  forwardedByUs: Forwarding['ours'];
}

export interface Firewall {
  /**
   * Updates the rules to the present state. Calls during an update share the next one; each resolves when the
   * rules reflect the state at its call. Without networks, our table and our rules in other tables are
   * removed. Without nft it does nothing.
   */
  apply(): Promise<void>;
  /** Whether nft is available; undefined before the first use. */
  readonly available: boolean | undefined;
}

export function createFirewall(nft: Nft, state: () => FirewallState): Firewall {
  let available: boolean | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let acceptedFor = '';

  const unlessMissing = async (work: () => Promise<void>): Promise<void> => {
    if (available === false) return;
    try {
      await work();
      available = true;
    } catch (error) {
      if (!(error instanceof NftMissingError)) throw error;
      available = false;
    }
  };

  const applyNow = (): Promise<void> =>
    unlessMissing(async () => {
      const { networks, ...rest } = state();
      const within =
        rest.cut === undefined ? '' : renderPartition(networks.length === 0 ? [] : rest.cut.links);
      await nft.run((networks.length === 0 ? NO_TABLE : renderRules(networks, rest)) + within);
      // Other tables are read only when networks come or go, since reading them all may take long.
      const bridges = networks.map(each => each.bridge).join();
      if (bridges === acceptedFor) return;
      const script = acceptElsewhere(await nft.forwardChains(TABLE), linkPatterns(networks));
      if (script !== '') await nft.run(script);
      acceptedFor = bridges;
    });

  const start = (): Promise<void> => {
    running = applyNow().finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    get available() {
      return available;
    },
    apply() {
      if (!running) return start();
      next ??= running
        .catch(() => {})
        .then(() => {
          next = undefined;
          return start();
        });
      return next;
    },
  };
}

/** Removes all that a daemon has made. @throws NftMissingError when nft is missing */
export async function removeRules(nft: Nft): Promise<void> {
  const elsewhere = forgetElsewhere(await nft.forwardChains(TABLE));
  await nft.run(NO_TABLE + renderPartition([]) + elsewhere);
}

const COMMENT = 'mini-docker';
const NO_TABLE = `add table ${TABLE}\ndelete table ${TABLE}\n`;

/** One pattern for all bridges that we named, and the names that users chose. */
function linkPatterns(networks: readonly NetworkRecord[]): string[] {
  const own = networks.filter(each => each.bridge.startsWith('mini-'));
  const others = networks.filter(each => !each.bridge.startsWith('mini-')).map(each => each.bridge);
  return [...(own.length > 0 ? ['mini-*'] : []), ...others.sort()];
}

/**
 * A packet is forwarded only if the chains of all tables accept it: docker's FORWARD drops by policy, and
 * firewalld's rejects at the end. Our rules come first in those chains; unwanted packets are dropped in our
 * own table. They are written in a form that iptables-nft can read and list, too.
 */
export function acceptElsewhere(chains: readonly ForeignChain[], bridges: readonly string[]): string {
  const inserts = chains
    .filter(each => each.dropping)
    .flatMap(({ family, table, name }) =>
      bridges.flatMap(bridge =>
        ['iifname', 'oifname'].map(
          side => `insert rule ${family} ${table} ${name} ${side} "${bridge}" accept comment "${COMMENT}"\n`,
        ),
      ),
    );
  return forgetElsewhere(chains) + inserts.join('');
}

export function forgetElsewhere(chains: readonly ForeignChain[]): string {
  return chains
    .flatMap(({ family, table, name, rules }) =>
      rules
        .filter(rule => rule.comment === COMMENT)
        .map(rule => `delete rule ${family} ${table} ${name} handle ${rule.handle}\n`),
    )
    .join('');
}
