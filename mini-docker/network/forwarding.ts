// IP forwarding: containers need it to reach other hosts, but it turns a host that did not forward before
// into a router between all of its networks. When mini-docker turns it on, rules.ts limits it to our
// networks, and it is turned off again when the last of them goes. The former settings are on disk, for the
// daemon that follows a killed one.
import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { decodeLink, listLinks } from '../linux/netlink/links.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { setSysctl, sysctl } from './sysctl.ts';

export interface Forwarding {
  /**
   * Bridges that existed when we turned it on, for IPv4 or IPv6. The owner of a later bridge wants it to be
   * reachable, and cannot know that forwarding was off.
   */
  readonly ours: { 4?: readonly string[]; 6?: readonly string[] };
  /** Records the present settings, before the rules that limit forwarding are made. */
  prepare(families: readonly Family[]): void;
  /** Turns on forwarding where it was off. */
  turnOn(families: readonly Family[]): void;
  /**
   * Restores the settings when no network needs forwarding any more. Settings that another program changed,
   * or may need by now, stay.
   */
  giveBack(ourBridges: readonly string[]): void;
}

export type Family = 4 | 6;

/** forwarding.json */
interface Before {
  /** This boot and this network namespace; for any other the record is void. */
  where: string;
  4?: FamilyBefore;
  6?: FamilyBefore;
}

interface FamilyBefore {
  bridges: string[];
  /** Further settings that change with forwarding, or have to: name → value. */
  settings: Record<string, string>;
}

const SWITCH: Record<Family, string> = { 4: 'ipv4/ip_forward', 6: 'ipv6/conf/all/forwarding' };

/** @param path of the state file @param options.enabled false where the administrator decides */
export function createForwarding(
  host: NetlinkSocket,
  path: string,
  { enabled } = { enabled: true },
): Forwarding {
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
      if (!enabled) return;
      for (const family of families) {
        if (before[family] !== undefined || sysctl(SWITCH[family]) !== '0') continue;
        before = { ...before, [family]: { bridges: bridges(), settings: settingsToKeep(family) } };
        save();
      }
    },
    turnOn(families) {
      if (!enabled) return;
      for (const family of families) {
        if (sysctl(SWITCH[family]) !== '0') continue;
        // A router ignores advertisements unless configured otherwise: the host would lose the routes that it
        // has from them.
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

/**
 * IPv4 forwarding changes the first on all links and the second globally: inet_forward_change() in
 * net/ipv4/devinet.c
 */
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

/** Links that accept routes from advertisements only while this host is no router (1), not always (2). */
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
