// A partition: groups of containers that do not reach each other, as after a broken cable between two switches. It
// lasts until it is healed, also when a container is started again, since it is about containers and not about links.

import { badParameter } from '../formats/errors.ts';
import { array, parse, strings } from '../formats/schema.ts';
import { loadKept, removeKept, saveKept, type Tell } from '../linux/kept-file.ts';
import type { ContainerRecord, EndpointRecord } from './record.ts';

export interface Partition {
  /** Ids of containers. */
  readonly groups: readonly (readonly string[])[];
  /** @param apply updates the rules; when it fails, the former groups are kept */
  set(groups: readonly (readonly string[])[], apply: () => Promise<void>): Promise<void>;
  /** What the rules have to drop; undefined where there has been no partition since this process started. */
  cut(): Cut | undefined;
}

/** Pairs from one group to another, in both directions. */
export interface Cut {
  /** Host's ends of cables, for frames within a bridge. */
  links: (readonly [string, string])[];
  /** Addresses of one family, for packets that the host forwards. */
  addresses: (readonly [string, string])[];
}

/** @param path of the state file */
export function createPartition(options: {
  path: string;
  containers: ReadonlyMap<string, ContainerRecord>;
  tell: Tell;
}): Partition {
  const { path, containers, tell } = options;
  const decode = (bytes: Buffer) => parse(bytes, 'partition', array(strings));
  let groups: readonly (readonly string[])[] = loadKept(path, decode, tell) ?? [];
  let touched = groups.length > 0;
  return {
    get groups() {
      return groups;
    },
    async set(wanted, apply) {
      check(wanted, id => containers.get(id)?.containerName ?? id.slice(0, 12));
      const before = groups;
      groups = wanted;
      touched = true;
      try {
        await apply();
      } catch (error) {
        groups = before;
        await apply().catch(() => {});
        throw error;
      }
      if (groups.length === 0) removeKept(path);
      else saveKept(path, JSON.stringify(groups), { durable: true });
    },
    cut: () => (touched ? cutBetween(groups, containers) : undefined),
  };
}

function check(groups: readonly (readonly string[])[], nameOf: (id: string) => string): void {
  if (groups.length === 1 || groups.some(each => each.length === 0))
    throw badParameter('a partition needs at least two groups of containers: A,B C,D');
  const seen = new Set<string>();
  for (const id of groups.flat()) {
    if (seen.has(id)) throw badParameter(`container ${nameOf(id)} is in the partition twice`);
    seen.add(id);
  }
}

function cutBetween(
  groups: readonly (readonly string[])[],
  containers: ReadonlyMap<string, ContainerRecord>,
): Cut {
  const sides = groups.map(ids => ids.flatMap(id => containers.get(id)?.endpoints ?? []));
  const pairs = sides.flatMap((side, index) =>
    sides.flatMap((other, at) =>
      at === index ? [] : side.flatMap(from => other.map(to => [from, to] as const)),
    ),
  );
  const values = (of: (endpoint: EndpointRecord) => string): (readonly [string, string])[] =>
    pairs.map(([from, to]) => [of(from), of(to)] as const).filter(pair => !pair.includes(''));
  return {
    links: values(each => each.link),
    addresses: [...values(each => each.ipAddress), ...values(each => each.ipv6Address)],
  };
}
