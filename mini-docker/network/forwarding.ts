// The host passes packets on between its links: containers need that to reach others, and a host that did not do it before
// becomes a router between all of its networks. Where we turn it on, rules.ts keeps it to what our networks need, and it
// is turned off again when the last of them goes. What it was before is on disk, for a daemon that follows one that was
// killed.
import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { decodeLink, listLinks } from '../linux/netlink/links.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { setSysctl, sysctl } from './sysctl.ts';

export interface Forwarding {
  /**
   * Turned on by us, for IPv4 or IPv6: the bridges that there were before. Somebody who makes another bridge later wants
   * it to be reached, and cannot tell that forwarding was off.
   */
  readonly ours: { 4?: readonly string[]; 6?: readonly string[] };
  /** Writes down what is now, before the rules are made that keep forwarding to what is needed. */
  prepare(families: readonly Family[]): void;
  /** Turns on what was prepared; nothing where it was on. */
  turnOn(families: readonly Family[]): void;
  /** When no network needs it any more. What somebody else changed meanwhile, or may need by now, stays. */
  giveBack(ourBridges: readonly string[]): void;
}

export type Family = 4 | 6;

/** forwarding.json */
interface Before {
  /** This boot and this network namespace; elsewhere the rest means nothing. */
  where: string;
  4?: FamilyBefore;
  6?: FamilyBefore;
}

interface FamilyBefore {
  bridges: string[];
  /** Further settings that turning it on or off changes, or must change: name → value. */
  settings: Record<string, string>;
}

const SWITCH: Record<Family, string> = { 4: 'ipv4/ip_forward', 6: 'ipv6/conf/all/forwarding' };

/** @param path of a file of our own */
export function createForwarding(host: NetlinkSocket, path: string): Forwarding {
  let before = readBefore(path);

  const save = (): void => {
    if (before[4] === undefined && before[6] === undefined) rmSync(path, { force: true });
    else writeFileSync(path, JSON.stringify(before), { mode: 0o600 });
  };
  const bridges = (): string[] =>
    host.dump(listLinks(), decodeLink).flatMap(({ kind, name }) => (kind === 'bridge' ? [name] : []));

  return {
    get ours() {
      return {
        ...(before[4] && { 4: before[4].bridges }),
        ...(before[6] && { 6: before[6].bridges }),
      };
    },
    prepare(families) {
      for (const family of families) {
        if (before[family] !== undefined || sysctl(SWITCH[family]) !== '0') continue;
        before = { ...before, [family]: { bridges: bridges(), settings: settingsToKeep(family) } };
        save();
      }
    },
    turnOn(families) {
      for (const family of families) {
        if (sysctl(SWITCH[family]) !== '0') continue;
        // A router takes no advertisements, unless it is told to: the host would lose the routes that it has by them.
        if (family === 6) for (const name of advertised()) setSysctl(name, '2');
        setSysctl(SWITCH[family], '1');
      }
    },
    giveBack(ourBridges) {
      const known = new Set([...ourBridges, ...(before[4]?.bridges ?? []), ...(before[6]?.bridges ?? [])]);
      const isNeeded = bridges().some(name => !known.has(name));
      for (const family of [4, 6] as const) {
        const was = before[family];
        if (was === undefined) continue;
        if (!isNeeded && sysctl(SWITCH[family]) === '1') {
          setSysctl(SWITCH[family], '0');
          for (const [name, value] of Object.entries(was.settings)) setSysctl(name, value);
        }
        delete before[family];
      }
      save();
    },
  };
}

function readBefore(path: string): Before {
  const where = `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/thread-self/ns/net')}`;
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Before;
    const isWhole = [read[4], read[6]].every(each => each === undefined || (each.bridges && each.settings));
    return read.where === where && isWhole ? read : { where };
  } catch {
    return { where };
  }
}

/** Switching IPv4 sets the first of all links and the second of all: inet_forward_change() in net/ipv4/devinet.c */
function settingsToKeep(family: Family): Record<string, string> {
  const names =
    family === 6
      ? advertised()
      : [
          'ipv4/conf/all/accept_redirects',
          ...open('ipv4', 'forwarding').filter(name => sysctl(name) === '1'),
        ];
  return Object.fromEntries(names.map(name => [name, sysctl(name) ?? '']));
}

/** Of the links that take routes from routers' advertisements as long as this host is none (1), and not in any case (2). */
function advertised(): string[] {
  return open('ipv6', 'accept_ra').filter(name => sysctl(name) === '1');
}

function open(version: 'ipv4' | 'ipv6', setting: string): string[] {
  try {
    const links = readdirSync(`/proc/sys/net/${version}/conf`);
    return links.filter(link => link !== 'all').map(link => `${version}/conf/${link}/${setting}`);
  } catch {
    return [];
  }
}
